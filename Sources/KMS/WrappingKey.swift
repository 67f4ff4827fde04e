// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Secrets

/// A wrapping key of 32 bytes in memory, for the providers whose key is a file.
///
/// ```
/// ciphertext = nonce sealed           ; 12 bytes, and AES-256-GCM with its tag of 16
/// key        = provider "-" 16HEXDIG  ; from the SHA-256 of the wrapping key, so that another file is noticed
/// ```
struct WrappingKey: ~Copyable {
    let id: String
    private let provider: String
    private let secret: SecretBytes
    static let version = "1"

    /// Reads a file of 32 bytes that its owner alone may read.
    init(contentsOf path: String, provider: String) throws {
        let secret = try SecretBytes(contentsOf: path, limit: AESGCM.keyCount)
        let count = secret.count
        guard count == AESGCM.keyCount else {
            throw KMSError(
                .kmsKeyUnusable, "\(path) has \(count) bytes, a wrapping key has \(AESGCM.keyCount)")
        }
        id = provider + "-" + Self.name(of: secret)
        self.provider = provider
        self.secret = secret
    }

    private static func name(of secret: borrowing SecretBytes) -> String {
        Hex.encode(Array(Digest(hashing: secret.bytes, with: .sha256).bytes.prefix(8)))
    }

    func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) throws -> WrappedSecret {
        let nonce = try Random.bytes(AESGCM.nonceCount)
        let bound = bind(associatedData)
        let sealed = try AESGCM.seal(
            secret.bytes, key: self.secret, nonce: nonce.span, associatedData: bound.span)
        return WrappedSecret(key: id, version: Self.version, ciphertext: nonce + sealed)
    }

    /// Whether it made this.
    func fits(_ wrapped: WrappedSecret) -> Bool { wrapped.key == id && wrapped.version == Self.version }

    func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) throws -> SecretBytes {
        guard wrapped.ciphertext.count <= WrappedSecret.largest,
            wrapped.ciphertext.count > AESGCM.nonceCount + AESGCM.tagCount
        else { throw KMSError(.kmsRefused, "a wrapped key of \(wrapped.ciphertext.count) bytes") }
        let nonce = Array(wrapped.ciphertext[..<AESGCM.nonceCount])
        let sealed = Array(wrapped.ciphertext[AESGCM.nonceCount...])
        let bound = bind(associatedData)
        do {
            return try AESGCM.open(sealed.span, key: secret, nonce: nonce.span, associatedData: bound.span)
        } catch let error as CryptographyError where error.code == .notAuthentic {
            throw KMSError(.kmsRefused, "the wrapped key was changed, or belongs to something else")
        }
    }

    private func bind(_ associatedData: [UInt8]) -> [UInt8] {
        Array("signet \(provider) kms \(id) \(Self.version)\n".utf8) + associatedData
    }
}
