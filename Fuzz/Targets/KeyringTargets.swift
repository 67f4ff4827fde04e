// SPDX-License-Identifier: Apache-2.0

internal import KMS
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
    FuzzTarget("proposal") { input in
        guard let proposal = try? Proposal(decoding: input) else { return }
        guard proposal.encoded == input else { throw BrokenPromise("two forms of one request for approval") }
    },
    FuzzTarget("network") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let network = try? Network(text) else { return }
        guard try Network(network.description) == network else {
            throw BrokenPromise("a network that is not what its own text says: \(text)")
        }
    },
    FuzzTarget("kms-answer") { try ServiceAnswers.tryAll($0) },
    FuzzTarget("sealed-key") { input in
        guard let sealed = try? SealedKey(decoding: input) else { return }
        guard sealed.encoded == input else { throw BrokenPromise("two forms of one sealed key") }
    },
]
