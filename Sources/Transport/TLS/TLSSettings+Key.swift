// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Cryptography
internal import Diagnostics
internal import Secrets

extension TLSSettings.Key {
    var name: String {
        switch self {
        case .file(let path): path
        case .key: "the private key"
        }
    }

    /// Gives the key to the library. It passes through locked memory alone, never through a file BIO.
    func use(in configuration: TLSConfiguration) throws {
        let key = try load()
        let der = try key.pkcs8()
        let bytes = der.bytes
        let used = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe SSL_CTX_use_PrivateKey_ASN1(
                Self.kind(of: key), configuration.context, buffer.baseAddress, buffer.count)
        }
        guard used == 1 else { throw TransportError.openSSL("\(name): the private key cannot be used") }
    }

    private func load() throws -> PrivateKey {
        switch self {
        case .file(let path): try KeyFile(SecretBytes(contentsOf: path)).key
        case .key(let key): key
        }
    }

    /// What the library calls the key's sort.
    private static func kind(of key: PrivateKey) -> Int32 {
        switch key.algorithm.family {
        case .rsa: NID_rsaEncryption
        case .ecdsa: NID_X9_62_id_ecPublicKey
        case .ed25519: NID_ED25519
        }
    }
}
