// SPDX-License-Identifier: Apache-2.0

import Keyring
import Secrets

/// A key service that hides a secret from nobody.
struct OpenWrapping: KeyWrapping {
    let provider = "open"

    func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let bytes = key.bytes
        return WrappedSecret(key: "open", version: "1", ciphertext: bytes.indices.map { bytes[$0] ^ 0x55 })
    }

    func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        let bytes = wrapped.ciphertext.map { $0 ^ 0x55 }
        return try SecretBytes(copying: bytes.span)
    }

    func checkHealth() async throws {}
}
