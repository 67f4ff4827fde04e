// SPDX-License-Identifier: Apache-2.0

internal import Keyring

let keyringTargets: [FuzzTarget] = [
    FuzzTarget("signature-record") { input in
        guard let record = try? SignatureRecord(decoding: input) else { return }
        guard record.encoded == input else { throw BrokenPromise("two forms of one record") }
    },
    FuzzTarget("audit-entry") { input in
        guard let entry = try? AuditEntry(decoding: input) else { return }
        guard entry.encoded == input else { throw BrokenPromise("two forms of one audit entry") }
    },
    FuzzTarget("sealed-key") { input in
        guard let sealed = try? SealedKey(decoding: input) else { return }
        guard sealed.encoded == input else { throw BrokenPromise("two forms of one sealed key") }
    },
]
