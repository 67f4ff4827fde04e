// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Diagnostics

/// Where in a private key's DER its numbers lie. The numbers themselves are read from there by OpenSSL and are never
/// copied here.
///
/// ```
/// OneAsymmetricKey ::= SEQUENCE {                              -- PKCS#8, RFC 5958
///     version INTEGER { v1(0), v2(1) },
///     privateKeyAlgorithm AlgorithmIdentifier,
///     privateKey OCTET STRING,           -- RSAPrivateKey, ECPrivateKey, or an OCTET STRING of 32 bytes (RFC 8410)
///     attributes [0] IMPLICIT SET OF Attribute OPTIONAL,
///     publicKey  [1] IMPLICIT BIT STRING OPTIONAL }            -- v2 alone
/// RSAPrivateKey ::= SEQUENCE {                                 -- PKCS#1, RFC 8017
///     version INTEGER { two-prime(0) }, n, e, d, p, q, dP, dQ, qInv INTEGER }
/// ECPrivateKey ::= SEQUENCE {                                  -- SEC1, RFC 5915
///     version INTEGER { v1(1) },
///     privateKey OCTET STRING,
///     parameters [0] EXPLICIT ECParameters OPTIONAL,
///     publicKey  [1] EXPLICIT BIT STRING OPTIONAL }
/// ```
enum KeyLayout: Equatable {
    case rsa(n: Range<Int>, e: Range<Int>, d: Range<Int>, p: Range<Int>, q: Range<Int>)
    /// The point may be missing, and may be compressed.
    case ecdsa(KeyAlgorithm, scalar: Range<Int>, point: Range<Int>?)
    case ed25519(seed: Range<Int>, point: Range<Int>?)

    // MARK: Reading

    static func pkcs8(_ bytes: Span<UInt8>) throws -> KeyLayout {
        try whole(bytes) { reader in
            try reader.sequence { reader in
                let version = try reader.integer()
                guard 0...1 ~= version else { throw unknown("PKCS#8", version) }
                let identifier = try KeyIdentifier(reading: &reader)
                var layout = try reader.octetStringHolding { reader in
                    switch identifier {
                    case .rsa: try rsa(&reader)
                    case .ecdsa(let algorithm): try sec1(&reader, algorithm)
                    case .ed25519: KeyLayout.ed25519(seed: try contents(.octetString, &reader), point: nil)
                    }
                }
                if reader.isNext(.constructed(0)) { try reader.elementRange() }
                if version == 1, reader.isNext(.primitive(1)) {
                    try layout.add(point: bits(.primitive(1), &reader))
                }
                return layout
            }
        }
    }

    static func pkcs1(_ bytes: Span<UInt8>) throws -> KeyLayout { try whole(bytes) { try rsa(&$0) } }

    static func sec1(_ bytes: Span<UInt8>) throws -> KeyLayout { try whole(bytes) { try sec1(&$0, nil) } }

    private static func whole(
        _ bytes: Span<UInt8>, _ body: (inout DERReader) throws -> KeyLayout
    ) throws -> KeyLayout {
        var reader = DERReader(bytes, DER())
        let layout = try body(&reader)
        try reader.expectEnd()
        return layout
    }

    private static func rsa(_ reader: inout DERReader) throws -> KeyLayout {
        try reader.sequence { reader in
            let version = try reader.integer()
            guard version == 0 else {
                throw CryptographyError(
                    version == 1 ? .keyNotSupported : .keyMalformed,
                    version == 1
                        ? "an RSA key with more than two primes" : "a PKCS#1 key of version \(version)")
            }
            let layout = try KeyLayout.rsa(
                n: number(&reader), e: number(&reader), d: number(&reader), p: number(&reader),
                q: number(&reader))
            // dP, dQ and qInv are computed anew.
            for _ in 0..<3 { _ = try number(&reader) }
            return layout
        }
    }

    /// The curve is named outside, inside or in both places alike.
    private static func sec1(_ reader: inout DERReader, _ outer: KeyAlgorithm?) throws -> KeyLayout {
        try reader.sequence { reader in
            let version = try reader.integer()
            guard version == 1 else { throw unknown("SEC1", version) }
            let scalar = try contents(.octetString, &reader)
            let inner = try reader.optionalExplicit(0) { try KeyIdentifier.curve(&$0) }
            guard let algorithm = outer ?? inner, inner == nil || inner == algorithm else {
                throw CryptographyError(.keyMalformed, "a SEC1 key that names no curve, or two")
            }
            let point = try reader.optionalExplicit(1) { try bits(.bitString, &$0) }
            return .ecdsa(algorithm, scalar: scalar, point: point)
        }
    }

    private mutating func add(point: Range<Int>) throws {
        switch self {
        case .rsa: break
        case .ecdsa(let algorithm, let scalar, let old):
            self = .ecdsa(algorithm, scalar: scalar, point: old ?? point)
        case .ed25519(let seed, _): self = .ed25519(seed: seed, point: point)
        }
    }

    // MARK: Places

    /// Where the contents of the next element lie.
    private static func contents(_ tag: DERTag, _ reader: inout DERReader) throws -> Range<Int> {
        let count = try reader.withOctetString(tag) { $0.count }
        return reader.offset - count..<reader.offset
    }

    /// Where an INTEGER lies that is not negative.
    private static func number(_ reader: inout DERReader) throws -> Range<Int> {
        let start = reader.offset
        let count = try reader.withOctetString(.integer) { bytes in
            guard bytes.count > 0, bytes[0] < 0x80 else { throw ASN1Error(.badValue, at: start) }
            guard bytes.count == 1 || bytes[0] > 0 || bytes[1] > 0x7f else {
                throw ASN1Error(.notCanonical, at: start)
            }
            return bytes.count
        }
        return reader.offset - count..<reader.offset
    }

    /// Where the bytes of a BIT STRING lie that has no unused bits.
    private static func bits(_ tag: DERTag, _ reader: inout DERReader) throws -> Range<Int> {
        let start = reader.offset
        let count = try reader.withOctetString(tag) { bytes in
            guard bytes.count > 0, bytes[0] == 0 else { throw ASN1Error(.badValue, at: start) }
            return bytes.count - 1
        }
        return reader.offset - count..<reader.offset
    }

    private static func unknown(_ form: String, _ version: Int) -> CryptographyError {
        CryptographyError(.keyMalformed, "a \(form) key of version \(version), which is not known")
    }

    // MARK: The key

    /// Builds the key whose DER `bytes` is. A public half in the file has to be the one that belongs to the private
    /// half; with `vetting`, the key's numbers are judged too, which takes some tens of milliseconds for RSA.
    func key(in bytes: Span<UInt8>, vetting: Bool) throws -> PrivateKey {
        let key: PrivateKey
        switch self {
        case .rsa(let n, let e, let d, let p, let q):
            let numbers = try RSANumbers(
                n: bytes.extracting(n), e: bytes.extracting(e), d: bytes.extracting(d),
                p: bytes.extracting(p), q: bytes.extracting(q))
            key = try numbers.key()
            if vetting { try KeyFlaw.refuse(RSAVetting.flaws(numbers)) }
        case .ecdsa(let algorithm, let scalar, let point):
            key = try PrivateKey.ecdsa(algorithm, scalar: bytes.extracting(scalar))
            if let point { try Self.compare(key, Curve(algorithm).point(bytes.extracting(point))) }
        case .ed25519(let seed, let point):
            key = try PrivateKey.ed25519(seed: bytes.extracting(seed))
            if let point { try Self.compare(key, [UInt8](copying: bytes.extracting(point))) }
        }
        if vetting {
            try KeyFlaw.refuse(key.publicKey.components().flaws())
            try key.provePossession()
        }
        return key
    }

    private static func compare(_ key: PrivateKey, _ point: [UInt8]?) throws {
        let own: [UInt8] =
            switch try key.publicKey.components() {
            case .rsa: []
            case .ecdsa(_, let x, let y): [4] + x + y
            case .ed25519(let bytes): bytes
            }
        guard let point else { throw CryptographyError(.keyWeak, KeyFlaw.pointNotOnCurve.description) }
        guard point == own else {
            throw CryptographyError(.keyPairMismatch, KeyFlaw.pairDoesNotMatch.description)
        }
    }
}
