// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

/// The sorts of keys that are used here.
public enum KeyAlgorithm: String, CaseIterable, Sendable {
    case rsa2048 = "rsa-2048"
    case rsa3072 = "rsa-3072"
    case rsa4096 = "rsa-4096"
    case p256 = "p-256"
    case p384 = "p-384"
    case ed25519 = "ed25519"

    public enum Family: Sendable {
        case rsa
        case ecdsa
        case ed25519
    }

    public var family: Family {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: .rsa
        case .p256, .p384: .ecdsa
        case .ed25519: .ed25519
        }
    }

    /// The size of the modulus or of the curve's field.
    public var bits: Int {
        switch self {
        case .rsa2048: 2048
        case .rsa3072: 3072
        case .rsa4096: 4096
        case .p256, .ed25519: 256
        case .p384: 384
        }
    }

    /// What OpenSSL calls the curve.
    var group: String? {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        default: nil
        }
    }

    /// Tells which algorithm a key of the library is for.
    init(of key: borrowing OpenSSLPointer<PKey>) throws {
        let bits = unsafe Int(EVP_PKEY_get_bits(key.pointer))
        if unsafe EVP_PKEY_is_a(key.pointer, "RSA") == 1 {
            guard let found = Self.allCases.first(where: { $0.family == .rsa && $0.bits == bits }) else {
                throw CryptographyError(.keyNotSupported, "an RSA key of \(bits) bits")
            }
            self = found
        } else if unsafe EVP_PKEY_is_a(key.pointer, "EC") == 1 {
            let name = Self.group(of: key)
            guard let name, let found = Self.allCases.first(where: { $0.group == name }) else {
                throw CryptographyError(.keyNotSupported, "a key on the curve \(name ?? "without a name")")
            }
            self = found
        } else if unsafe EVP_PKEY_is_a(key.pointer, "ED25519") == 1 {
            self = .ed25519
        } else {
            let name = unsafe EVP_PKEY_get0_type_name(key.pointer).map { unsafe String(cString: $0) }
            throw CryptographyError(.keyNotSupported, "a key of the sort \(name ?? "unknown")")
        }
    }

    private static func group(of key: borrowing OpenSSLPointer<PKey>) -> String? {
        var name = [CChar](repeating: 0, count: 80)
        var length = 0
        guard unsafe EVP_PKEY_get_group_name(key.pointer, &name, name.count, &length) == 1 else {
            dropErrors()
            return nil
        }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
