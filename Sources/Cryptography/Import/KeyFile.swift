// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Diagnostics
public import Secrets

/// A private key from a file that somebody hands in: PKCS#8, PKCS#1 or SEC1 in DER or PEM, open or encrypted, or
/// PKCS#12.
///
/// ```
/// EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm AlgorithmIdentifier, encryptedData OCTET STRING }
/// ```
/// The file is to hold one key and nothing else (PKCS#12: its certificates). The key is vetted: its sizes and numbers,
/// that the halves fit, and a signature that verifies. Text is decoded, and ciphertext decrypted, straight into
/// `SecretBytes`; after `key` is released, nothing of it is left in the memory of the process.
///
/// ```swift
/// let file = try KeyFile(secret, passphrase: passphrase)
/// let key = file.key
/// ```
public struct KeyFile: Sendable {
    public let key: PrivateKey
    /// The certificate of the key, from PKCS#12 alone.
    public let certificate: Certificate?
    /// The other certificates of the PKCS#12 file, in its order. Nothing about them was checked.
    public let chain: [Certificate]

    public init(_ file: borrowing SecretBytes, passphrase: borrowing SecretBytes) throws {
        try self.init(file.bytes, passphrase.bytes)
    }

    /// Reads a key that is not encrypted.
    public init(_ file: borrowing SecretBytes) throws {
        try self.init(file.bytes, nil)
    }

    /// Far more than the longest key, and a PKCS#12 file with a long chain.
    static let largest = 1 << 20

    private init(_ file: Span<UInt8>, _ passphrase: Span<UInt8>?) throws {
        guard file.count <= Self.largest else {
            throw CryptographyError(.keyMalformed, "a key file of \(file.count) bytes")
        }
        do {
            if let place = LegacyPEMHeaders.find("-----BEGIN ", in: file, from: 0) {
                self = try Self.text(file, passphrase, from: place)
            } else {
                self = try Self.der(file, passphrase)
            }
        } catch let error as ASN1Error {
            throw CryptographyError(
                error.code == .trailing ? .keyFileAmbiguous : .keyMalformed, "a private key: \(error)")
        }
    }

    private init(_ key: PrivateKey) {
        self.key = key
        certificate = nil
        chain = []
    }

    private init(_ bundle: PKCS12) throws {
        key = bundle.key
        let spki = try key.publicKey.spki()
        guard let own = bundle.certificates.firstIndex(where: { $0.publicKeyInfo == spki }) else {
            guard bundle.certificates.isEmpty else {
                throw CryptographyError(
                    .keyPairMismatch, "a PKCS#12 file whose certificates are not of its key")
            }
            certificate = nil
            chain = []
            return
        }
        certificate = bundle.certificates[own]
        chain = bundle.certificates.enumerated().filter { $0.offset != own }.map(\.element)
    }

    // MARK: PEM

    private static func text(
        _ text: Span<UInt8>, _ passphrase: Span<UInt8>?, from place: Int
    ) throws -> KeyFile {
        if let headers = try LegacyPEMHeaders(in: text) {
            let plain = try headers.removed(from: text)
            let block = try keyBlock(plain.bytes)
            let ciphertext = try contents(block, plain.bytes)
            guard let passphrase else { throw missingPassphrase }
            let key = try headers.encryption.decrypt(ciphertext.bytes, passphrase: passphrase)
            return KeyFile(try decrypted { try open(block.label, key.bytes) })
        }
        let block = try keyBlock(text)
        let bytes = try contents(block, text)
        if block.label == "ENCRYPTED PRIVATE KEY" {
            return KeyFile(try encrypted(bytes.bytes, passphrase))
        }
        try refuse(passphrase)
        return KeyFile(try open(block.label, bytes.bytes))
    }

    /// The one block with a key; the parameters that `openssl ecparam` writes before it are said again in the key.
    private static func keyBlock(_ text: Span<UInt8>) throws -> PEMBlock {
        let labels = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]
        let blocks = try PEMBlock.blocks(in: text, limit: 100).filter { $0.label != "EC PARAMETERS" }
        let keys = blocks.filter { $0.label.hasSuffix("PRIVATE KEY") }
        guard keys.count < 2 else {
            throw CryptographyError(.keyFileAmbiguous, "a file with \(keys.count) private keys")
        }
        guard let block = keys.first else {
            let found = blocks.map(\.label).joined(separator: ", ")
            throw CryptographyError(.keyMalformed, "a file without a private key (\(found))")
        }
        if let other = blocks.first(where: { $0 != block }) {
            throw CryptographyError(.keyFileAmbiguous, "a file with a private key and a \(other.label)")
        }
        guard labels.contains(block.label) else {
            throw CryptographyError(.keyNotSupported, "a key in the form \(block.label)")
        }
        return block
    }

    private static func contents(_ block: PEMBlock, _ text: Span<UInt8>) throws -> SecretBytes {
        try SecretBytes(capacity: block.count) { output in try block.decode(from: text, into: &output) }
    }

    private static func open(_ label: String, _ bytes: Span<UInt8>) throws -> PrivateKey {
        let layout =
            switch label {
            case "RSA PRIVATE KEY": try KeyLayout.pkcs1(bytes)
            case "EC PRIVATE KEY": try KeyLayout.sec1(bytes)
            default: try KeyLayout.pkcs8(bytes)
            }
        return try layout.key(in: bytes, vetting: true)
    }

    // MARK: DER

    private enum Form {
        case pkcs8, pkcs1, sec1, encrypted, pkcs12
    }

    private static func der(_ bytes: Span<UInt8>, _ passphrase: Span<UInt8>?) throws -> KeyFile {
        let form = try form(of: bytes)
        switch form {
        case .pkcs12:
            guard let passphrase else { throw missingPassphrase }
            return try KeyFile(PKCS12(bytes, passphrase: passphrase))
        case .encrypted:
            return KeyFile(try encrypted(bytes, passphrase))
        case .pkcs8, .pkcs1, .sec1:
            let layout =
                switch form {
                case .pkcs1: try KeyLayout.pkcs1(bytes)
                case .sec1: try KeyLayout.sec1(bytes)
                default: try KeyLayout.pkcs8(bytes)
                }
            try refuse(passphrase)
            return KeyFile(try layout.key(in: bytes, vetting: true))
        }
    }

    /// The forms differ in their first two elements.
    private static func form(of bytes: Span<UInt8>) throws -> Form {
        var reader = DERReader(bytes, DER())
        let tags = try reader.sequence { reader in
            var tags: [DERTag?] = []
            for _ in 0..<2 {
                tags.append(reader.nextTag)
                if tags.last != nil { try reader.elementRange() }
            }
            let isPKCS12 = tags == [.integer, .sequence] && reader.nextTag != .octetString
            while !reader.isAtEnd { try reader.elementRange() }
            return (tags, isPKCS12)
        }
        try reader.expectEnd()
        switch tags.0 {
        case [.integer, .sequence]: return tags.1 ? .pkcs12 : .pkcs8
        case [.integer, .integer]: return .pkcs1
        case [.integer, .octetString]: return .sec1
        case [.sequence, .octetString]: return .encrypted
        default: throw CryptographyError(.keyMalformed, "DER that is no private key")
        }
    }

    // MARK: Passphrases

    static func encrypted(_ bytes: Span<UInt8>, _ passphrase: Span<UInt8>?) throws -> PrivateKey {
        var reader = DERReader(bytes, DER())
        let (encryption, place) = try reader.sequence { reader in
            let encryption = try KeyEncryption(reading: &reader)
            let count = try reader.withOctetString { $0.count }
            return (encryption, reader.offset - count..<reader.offset)
        }
        try reader.expectEnd()
        guard let passphrase else { throw missingPassphrase }
        let plain = try encryption.decrypt(bytes.extracting(place), passphrase: passphrase)
        return try decrypted { try KeyLayout.pkcs8(plain.bytes).key(in: plain.bytes, vetting: true) }
    }

    /// What was decrypted and is no DER was decrypted with the wrong passphrase.
    private static func decrypted(_ body: () throws -> PrivateKey) throws -> PrivateKey {
        do { return try body() } catch is ASN1Error { throw CryptographyError.wrongPassphrase }
    }

    private static let missingPassphrase = CryptographyError(
        .passphraseMissing, "the key is encrypted and no passphrase was given")

    private static func refuse(_ passphrase: Span<UInt8>?) throws {
        guard passphrase == nil else {
            throw CryptographyError(
                .passphraseUnneeded, "the key is not encrypted, but a passphrase was given")
        }
    }
}
