// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What a signature says about itself in its subpackets (RFC 4880, 5.2.3.1).
///
/// ```
/// area      = *subpacket
/// subpacket = length type body                         ; length counts type and body
/// length    = %x01-BF                                  ; itself
///           / %xC0-FE OCTET                            ; (first - 192) * 256 + second + 192
///           / %xFF 4OCTET
/// type      = OCTET                                    ; the highest bit: critical
/// ```
/// Of the area that is not hashed, only what proves itself or is no more than a hint is read: the issuer, and the
/// signature of a subkey over its primary.
struct SignatureFields: Hashable, Sendable {
    var created: UInt32?
    /// Seconds after `created`; zero is never.
    var lifetime: UInt32 = 0
    /// Seconds after the key's creation; zero is never.
    var keyLifetime: UInt32 = 0
    var keyFlags: UInt8?
    var issuerFingerprint: [UInt8]?
    var issuerKeyID: [UInt8]?
    var embedded: [[UInt8]] = []
    var revocationReason: UInt8?
    /// A critical subpacket that is not known here makes a signature worthless.
    var unknownCritical: UInt8?

    enum Number {
        static let created: UInt8 = 2
        static let lifetime: UInt8 = 3
        static let keyLifetime: UInt8 = 9
        static let preferredCiphers: UInt8 = 11
        static let issuer: UInt8 = 16
        static let preferredDigests: UInt8 = 21
        static let preferredCompression: UInt8 = 22
        static let primaryUserID: UInt8 = 25
        static let keyFlags: UInt8 = 27
        static let revocationReason: UInt8 = 29
        static let features: UInt8 = 30
        static let embedded: UInt8 = 32
        static let issuerFingerprint: UInt8 = 33
        /// What may be critical and changes nothing here: exportable, revocable, key server preferences, policy,
        /// signer's user id, recipients, and the like.
        static let harmless: Set<UInt8> = [
            4, 7, preferredCiphers, preferredDigests, preferredCompression, 23, 24, primaryUserID, 26, 28,
            features, 34, 35,
        ]
    }

    init() {}

    init(hashed: [UInt8], unhashed: [UInt8]) throws(BytesError) {
        try read(hashed, areHashed: true)
        try read(unhashed, areHashed: false)
    }

    private mutating func read(_ area: [UInt8], areHashed: Bool) throws(BytesError) {
        for packet in try Self.subpackets(of: area) {
            if areHashed {
                try take(packet.type, packet.body, at: packet.place)
            } else {
                takeHint(packet.type & 0x7f, packet.body)
            }
        }
    }

    /// The subpackets of an area, with the critical bit in their types.
    static func subpackets(
        of area: [UInt8]
    ) throws(BytesError) -> [(place: Int, type: UInt8, body: [UInt8])] {
        var found: [(place: Int, type: UInt8, body: [UInt8])] = []
        var reader = ByteReader(area.span)
        while !reader.isAtEnd {
            let start = reader.offset
            let length = try readLength(&reader)
            guard length > 0 else { throw BytesError(.badLength, at: start) }
            let type = try reader.readUInt8()
            found.append((start, type, try reader.readArray(length - 1)))
        }
        return found
    }

    private static func readLength(_ reader: inout ByteReader) throws(BytesError) -> Int {
        let first = try reader.readUInt8()
        switch first {
        case 0..<192: return Int(first)
        case 192..<255: return (Int(first) - 192) << 8 + Int(try reader.readUInt8()) + 192
        default: return Int(try reader.readUInt32())
        }
    }

    private mutating func take(_ type: UInt8, _ body: [UInt8], at place: Int) throws(BytesError) {
        switch type & 0x7f {
        case Number.created:
            // Two times would be read as one by some and as the other by others.
            guard created == nil else { throw BytesError(.notCanonical, at: place) }
            created = try Self.number(body, at: place)
        case Number.lifetime: lifetime = try Self.number(body, at: place)
        case Number.keyLifetime: keyLifetime = try Self.number(body, at: place)
        case Number.keyFlags: keyFlags = body.first ?? 0
        case Number.issuer:
            guard body.count == 8 else { throw BytesError(.badLength, at: place) }
            issuerKeyID = body
        case Number.issuerFingerprint:
            guard body.first != 4 || body.count == 21 else { throw BytesError(.badLength, at: place) }
            if body.first == 4 { issuerFingerprint = Array(body.dropFirst()) }
        case Number.embedded: embedded.append(body)
        case Number.revocationReason: revocationReason = body.first
        case let number where type & 0x80 != 0 && !Number.harmless.contains(number): unknownCritical = number
        default: break
        }
    }

    private mutating func takeHint(_ number: UInt8, _ body: [UInt8]) {
        switch number {
        case Number.issuer where body.count == 8 && issuerKeyID == nil: issuerKeyID = body
        case Number.issuerFingerprint where body.count == 21 && body[0] == 4 && issuerFingerprint == nil:
            issuerFingerprint = Array(body.dropFirst())
        case Number.embedded where embedded.count < 8: embedded.append(body)
        default: break
        }
    }

    private static func number(_ body: [UInt8], at place: Int) throws(BytesError) -> UInt32 {
        guard body.count == 4 else { throw BytesError(.badLength, at: place) }
        return body.reduce(0) { $0 << 8 | UInt32($1) }
    }

    // MARK: Writing

    /// One subpacket. An area has less than 64 KiB.
    static func write(_ type: UInt8, _ body: [UInt8], to writer: inout ByteWriter) {
        let length = body.count + 1
        if length < 192 {
            writer.write(UInt8(truncatingIfNeeded: length))
        } else if length < 8_384 {
            writer.write(UInt16(truncatingIfNeeded: length - 192 + 192 << 8))
        } else {
            writer.write(UInt8(0xff))
            writer.write(UInt32(truncatingIfNeeded: length))
        }
        writer.write(type)
        writer.write(body)
    }

    static func octets(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
    }
}
