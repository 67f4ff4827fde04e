// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import COpenSSL
internal import Diagnostics
internal import Secrets

/// How a key is encrypted under a passphrase. The derived key and the plaintext exist in `SecretBytes` alone.
///
/// ```
/// PBES2         1.2.840.113549.1.5.13      SEQUENCE { keyDerivationFunc, encryptionScheme AlgorithmIdentifier }
/// PBKDF2        1.2.840.113549.1.5.12      SEQUENCE { salt OCTET STRING, iterationCount INTEGER,
///                                              keyLength INTEGER OPTIONAL,
///                                              prf AlgorithmIdentifier DEFAULT hmacWithSHA1 }
/// scrypt        1.3.6.1.4.1.11591.4.11     SEQUENCE { salt OCTET STRING, N, r, p INTEGER,
///                                              keyLength INTEGER OPTIONAL }
/// PBE-SHA1-3DES 1.2.840.113549.1.12.1.3    SEQUENCE { salt OCTET STRING, iterations INTEGER }
/// AES-CBC, DES-EDE3-CBC                    iv OCTET STRING
/// ```
struct KeyEncryption: Equatable {
    enum Derivation: Equatable {
        case pbkdf2(salt: [UInt8], iterations: Int, hash: String)
        case scrypt(salt: [UInt8], n: Int, r: Int, p: Int)
        /// PKCS#12, appendix B; it makes the initialisation vector too.
        case pkcs12(salt: [UInt8], iterations: Int)
        /// One round of MD5, as in PEM text with `Proc-Type: 4,ENCRYPTED`.
        case md5(salt: [UInt8])
    }

    enum Cipher: String {
        case aes128 = "AES-128-CBC"
        case aes192 = "AES-192-CBC"
        case aes256 = "AES-256-CBC"
        case tripleDES = "DES-EDE3-CBC"

        var keyLength: Int {
            switch self {
            case .aes128: 16
            case .aes192, .tripleDES: 24
            case .aes256: 32
            }
        }

        var blockLength: Int { self == .tripleDES ? 8 : 16 }
    }

    var derivation: Derivation
    var cipher: Cipher
    var iv: [UInt8]

    /// More would keep a processor busy for seconds.
    static let mostIterations = 2_000_000

    // MARK: Reading

    init(derivation: Derivation, cipher: Cipher, iv: [UInt8]) {
        self.derivation = derivation
        self.cipher = cipher
        self.iv = iv
    }

    init(reading reader: inout DERReader) throws {
        self = try reader.sequence { reader in
            switch try reader.oid() {
            case "1.2.840.113549.1.5.13":
                return try reader.sequence { reader in
                    let (derivation, keyLength) = try Self.derivation(&reader)
                    let (cipher, iv) = try Self.cipher(&reader)
                    guard keyLength == nil || keyLength == cipher.keyLength else {
                        throw CryptographyError(.keyMalformed, "a derived key that does not fit the cipher")
                    }
                    return KeyEncryption(derivation: derivation, cipher: cipher, iv: iv)
                }
            case "1.2.840.113549.1.12.1.3":
                return try reader.sequence { reader in
                    let salt = try reader.octetString(limit: 1024)
                    let iterations = try Self.iterations(reader.integer())
                    return KeyEncryption(
                        derivation: .pkcs12(salt: salt, iterations: iterations), cipher: .tripleDES, iv: [])
                }
            case let other: throw Self.refusal(other)
            }
        }
    }

    private static func derivation(_ reader: inout DERReader) throws -> (Derivation, keyLength: Int?) {
        try reader.sequence { reader in
            switch try reader.oid() {
            case "1.2.840.113549.1.5.12":
                try reader.sequence { reader in
                    let salt = try reader.octetString(limit: 1024)
                    let iterations = try Self.iterations(reader.integer())
                    let keyLength = try reader.optional(.integer) { try $0.integer() }
                    let hash = try reader.optional(.sequence) { try Self.pseudorandom(&$0) }
                    return (.pbkdf2(salt: salt, iterations: iterations, hash: hash ?? "SHA1"), keyLength)
                }
            case "1.3.6.1.4.1.11591.4.11":
                try reader.sequence { reader in
                    let salt = try reader.octetString(limit: 1024)
                    let (n, r, p) = try (reader.integer(), reader.integer(), reader.integer())
                    // The cost is 128 * r * (N + p) bytes and N * r * p steps; this allows 128 MiB.
                    guard 2...1 << 20 ~= n, n & (n - 1) == 0, 1...32 ~= r, 1...16 ~= p, n * r <= 1 << 20
                    else {
                        throw CryptographyError(
                            .keyEncryptionNotSupported, "scrypt with N=\(n) r=\(r) p=\(p)")
                    }
                    let keyLength = try reader.optional(.integer) { try $0.integer() }
                    return (.scrypt(salt: salt, n: n, r: r, p: p), keyLength)
                }
            case let other: throw refusal(other)
            }
        }
    }

    private static func iterations(_ count: Int) throws -> Int {
        guard 1...mostIterations ~= count else {
            throw CryptographyError(
                .keyEncryptionNotSupported, "\(count) iterations (at most \(mostIterations) are done)")
        }
        return count
    }

    private static func pseudorandom(_ reader: inout DERReader) throws -> String {
        try reader.sequence { reader in
            let oid = try reader.oid()
            if reader.isNext(.null) { try reader.null() }
            switch oid {
            case "1.2.840.113549.2.7": return "SHA1"
            case "1.2.840.113549.2.8": return "SHA224"
            case "1.2.840.113549.2.9": return "SHA256"
            case "1.2.840.113549.2.10": return "SHA384"
            case "1.2.840.113549.2.11": return "SHA512"
            case let other: throw refusal(other)
            }
        }
    }

    private static func cipher(_ reader: inout DERReader) throws -> (Cipher, iv: [UInt8]) {
        try reader.sequence { reader in
            let cipher: Cipher
            switch try reader.oid() {
            case "2.16.840.1.101.3.4.1.2": cipher = .aes128
            case "2.16.840.1.101.3.4.1.22": cipher = .aes192
            case "2.16.840.1.101.3.4.1.42": cipher = .aes256
            case "1.2.840.113549.3.7": cipher = .tripleDES
            case let other: throw refusal(other)
            }
            let iv = try reader.octetString(limit: 16)
            guard iv.count == cipher.blockLength else {
                throw CryptographyError(.keyMalformed, "an initialisation vector of \(iv.count) bytes")
            }
            return (cipher, iv)
        }
    }

    private static func refusal(_ oid: OID) -> CryptographyError {
        let names: [OID: String] = [
            "1.2.840.113549.1.12.1.1": "RC4 with 128 bits", "1.2.840.113549.1.12.1.2": "RC4 with 40 bits",
            "1.2.840.113549.1.12.1.4": "3DES with two keys", "1.2.840.113549.1.12.1.5": "RC2 with 128 bits",
            "1.2.840.113549.1.12.1.6": "RC2 with 40 bits", "1.2.840.113549.1.5.3": "DES with MD5",
            "1.2.840.113549.1.5.10": "DES with SHA-1", "1.2.840.113549.3.2": "RC2",
        ]
        return CryptographyError(.keyEncryptionNotSupported, "encrypted with \(names[oid] ?? "\(oid)")")
    }
}
