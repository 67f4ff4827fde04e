// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import COpenSSL
internal import Diagnostics
internal import Secrets

/// The contents of a PKCS#12 file (RFC 7292): one key, encrypted or not, and certificates.
///
/// ```
/// PFX ::= SEQUENCE { version INTEGER { v3(3) }, authSafe ContentInfo, macData MacData OPTIONAL }
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY OPTIONAL }
///     data 1.2.840.113549.1.7.1           OCTET STRING
///     encryptedData 1.2.840.113549.1.7.6  SEQUENCE { version INTEGER { v0(0) }, SEQUENCE {
///                                             contentType, contentEncryptionAlgorithm AlgorithmIdentifier,
///                                             encryptedContent [0] IMPLICIT OCTET STRING } }
/// authSafe holds data, which holds SEQUENCE OF ContentInfo, each holding SafeContents:
/// SafeContents ::= SEQUENCE OF SEQUENCE {
///     bagId OBJECT IDENTIFIER, bagValue [0] EXPLICIT ANY, bagAttributes SET OF PKCS12Attribute OPTIONAL }
///     keyBag   1.2.840.113549.1.12.10.1.1 PrivateKeyInfo
///     shrouded 1.2.840.113549.1.12.10.1.2 EncryptedPrivateKeyInfo
///     certBag  1.2.840.113549.1.12.10.1.3 SEQUENCE { certId, certValue [0] EXPLICIT OCTET STRING }
/// MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }
/// ```
/// The MAC is demanded and checked before anything is decrypted. The file has to be DER; what other programs write with
/// indefinite lengths is refused.
struct PKCS12 {
    var key: PrivateKey
    var certificates: [Certificate]

    private static let data: OID = "1.2.840.113549.1.7.1"

    init(_ bytes: Span<UInt8>, passphrase: Span<UInt8>) throws {
        var reader = DERReader(bytes, DER())
        // Where the content lies that the MAC is over.
        let place = try reader.sequence { reader in
            guard try reader.integer() == 3 else {
                throw CryptographyError(.keyMalformed, "PKCS#12 of a version other than 3")
            }
            let place = try reader.sequence { reader in
                guard try reader.oid() == Self.data else {
                    throw CryptographyError(
                        .keyEncryptionNotSupported, "PKCS#12 that is signed, not under a MAC")
                }
                return try reader.explicit(0) { reader in
                    let count = try reader.withOctetString { $0.count }
                    return reader.offset - count..<reader.offset
                }
            }
            guard !reader.isAtEnd else {
                throw CryptographyError(.keyEncryptionNotSupported, "PKCS#12 without a MAC")
            }
            try PKCS12MAC(reading: &reader).check(bytes.extracting(place), passphrase: passphrase)
            return place
        }
        try reader.expectEnd()
        var bags = Bags(keys: [], certificates: [])
        var contents = DERReader(bytes.extracting(place), DER())
        _ = try contents.sequenceOf(limit: 100) { try Self.content(&$0, passphrase, &bags) }
        try contents.expectEnd()
        guard let key = bags.keys.first else {
            throw CryptographyError(.keyMalformed, "a PKCS#12 file without a private key")
        }
        guard bags.keys.count == 1 else {
            throw CryptographyError(.keyFileAmbiguous, "a PKCS#12 file with \(bags.keys.count) private keys")
        }
        self.key = key
        certificates = bags.certificates
    }

    private struct Bags {
        var keys: [PrivateKey]
        var certificates: [Certificate]
    }

    private static func content(
        _ reader: inout DERReader, _ passphrase: Span<UInt8>, _ bags: inout Bags
    ) throws {
        try reader.sequence { reader in
            switch try reader.oid() {
            case data:
                try reader.explicit(0) { reader in
                    try reader.octetStringHolding { try safe(&$0, passphrase, &bags) }
                }
            case "1.2.840.113549.1.7.6":
                let (encryption, place) = try reader.explicit(0) { try encrypted(&$0) }
                let plain = try encryption.decrypt(reader.bytes.span(place), passphrase: passphrase)
                var inner = DERReader(plain.bytes, DER())
                try safe(&inner, passphrase, &bags)
                try inner.expectEnd()
            case let other:
                throw CryptographyError(.keyEncryptionNotSupported, "PKCS#12 content of the sort \(other)")
            }
        }
    }

    private static func encrypted(
        _ reader: inout DERReader
    ) throws -> (KeyEncryption, place: Range<Int>) {
        try reader.sequence { reader in
            guard try reader.integer() == 0 else {
                throw CryptographyError(.keyMalformed, "PKCS#12 with encrypted data of an unknown version")
            }
            return try reader.sequence { reader in
                guard try reader.oid() == data else {
                    throw CryptographyError(.keyMalformed, "PKCS#12 with encrypted data of an unknown sort")
                }
                let encryption = try KeyEncryption(reading: &reader)
                let count = try reader.withOctetString(.primitive(0)) { $0.count }
                return (encryption, reader.offset - count..<reader.offset)
            }
        }
    }

    private static func safe(
        _ reader: inout DERReader, _ passphrase: Span<UInt8>, _ bags: inout Bags
    ) throws {
        _ = try reader.sequenceOf(limit: 100) { reader in
            try reader.sequence { reader in
                let sort = try reader.oid()
                try reader.explicit(0) { try bag(sort, &$0, passphrase, &bags) }
                // Names and such.
                if reader.isNext(.set) { try reader.elementRange() }
            }
        }
    }

    private static func bag(
        _ sort: OID, _ reader: inout DERReader, _ passphrase: Span<UInt8>, _ bags: inout Bags
    ) throws {
        switch sort {
        case "1.2.840.113549.1.12.10.1.1":
            bags.keys.append(
                try whole(&reader) { try KeyLayout.pkcs8($0).key(in: $0, vetting: true) })
        case "1.2.840.113549.1.12.10.1.2":
            bags.keys.append(try whole(&reader) { try KeyFile.encrypted($0, passphrase) })
        case "1.2.840.113549.1.12.10.1.3":
            let certificate = try reader.sequence { reader in
                guard try reader.oid() == "1.2.840.113549.1.9.22.1" else {
                    throw CryptographyError(.keyMalformed, "PKCS#12 with a certificate that is not X.509")
                }
                return try reader.explicit(0) { try $0.octetString(limit: Certificate.largest) }
            }
            bags.certificates.append(try Certificate(der: certificate.span))
        case let other:
            throw CryptographyError(
                .keyFileAmbiguous, "PKCS#12 with something besides keys and certificates: \(other)")
        }
    }

    /// Lends the next element with its tag and length, where it lies.
    private static func whole(
        _ reader: inout DERReader, _ body: (Span<UInt8>) throws -> PrivateKey
    ) throws -> PrivateKey {
        let range = try reader.elementRange()
        return try body(try reader.bytes.span(range))
    }
}

/// The MAC of a PKCS#12 file: HMAC under a key that appendix B derives from the passphrase.
struct PKCS12MAC {
    var hash: DigestAlgorithm
    var digest: [UInt8]
    var salt: [UInt8]
    var iterations: Int

    init(reading reader: inout DERReader) throws {
        self = try reader.sequence { reader in
            let (hash, digest) = try reader.sequence { reader in
                let hash = try reader.sequence { reader in
                    let hash = try Self.hash(reader.oid())
                    if reader.isNext(.null) { try reader.null() }
                    return hash
                }
                return (hash, try reader.octetString(limit: 64))
            }
            let salt = try reader.octetString(limit: 1024)
            let iterations = try reader.optional(.integer) { try $0.integer() } ?? 1
            guard 1...KeyEncryption.mostIterations ~= iterations else {
                throw CryptographyError(.keyEncryptionNotSupported, "PKCS#12 with \(iterations) iterations")
            }
            return PKCS12MAC(hash: hash, digest: digest, salt: salt, iterations: iterations)
        }
    }

    private init(hash: DigestAlgorithm, digest: [UInt8], salt: [UInt8], iterations: Int) {
        self.hash = hash
        self.digest = digest
        self.salt = salt
        self.iterations = iterations
    }

    private static func hash(_ oid: OID) throws -> DigestAlgorithm {
        switch oid {
        case "1.3.14.3.2.26": return .weakSHA1
        case "2.16.840.1.101.3.4.2.4": return .sha224
        case "2.16.840.1.101.3.4.2.1": return .sha256
        case "2.16.840.1.101.3.4.2.2": return .sha384
        case "2.16.840.1.101.3.4.2.3": return .sha512
        case let other: throw CryptographyError(.keyEncryptionNotSupported, "a PKCS#12 MAC with \(other)")
        }
    }

    /// Throws `passphrase-wrong` unless the MAC over `content` is right.
    func check(_ content: Span<UInt8>, passphrase: Span<UInt8>) throws {
        let key = try SecretBytes(capacity: hash.count) { output in
            let done = unsafe output.withUnsafeMutableBufferPointer { target, count in
                count = hash.count
                return unsafe passphrase.withUnsafeBufferPointer { passphrase in
                    unsafe derive(target.baseAddress, passphrase)
                }
            }
            try Cryptography.check(done, "PKCS12_key_gen_utf8")
        }
        var mac = [UInt8](repeating: 0, count: hash.count)
        // The buffers are read by the call alone.
        let made = unsafe key.bytes.withUnsafeBufferPointer { key in
            unsafe content.withUnsafeBufferPointer { content in
                unsafe COpenSSL.HMAC(
                    hash.evp, key.baseAddress, Int32(key.count), content.baseAddress, content.count, &mac, nil
                )
            }
        }
        try unsafe Cryptography.check(made == nil ? 0 : 1, "HMAC")
        guard ConstantTime.areEqual(digest.span, mac.span) else {
            throw CryptographyError.wrongPassphrase
        }
    }

    /// 3 stands for a MAC key.
    private func derive(
        _ target: UnsafeMutablePointer<UInt8>?, _ passphrase: UnsafeBufferPointer<UInt8>
    ) -> Int32 {
        var salt = salt
        return unsafe passphrase.withMemoryRebound(to: CChar.self) { text in
            unsafe PKCS12_key_gen_utf8(
                text.baseAddress, Int32(text.count), &salt, Int32(salt.count), 3, Int32(iterations),
                Int32(hash.count), target, hash.evp)
        }
    }
}
