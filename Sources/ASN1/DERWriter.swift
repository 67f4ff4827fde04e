// SPDX-License-Identifier: Apache-2.0

/// Writes DER in order; each verb writes one element, and each takes the tag that an IMPLICIT one puts in its place.
public struct DERWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    // MARK: Elements with elements inside

    /// An element whose contents `body` writes.
    public mutating func element(_ tag: DERTag, _ body: (inout DERWriter) throws -> Void) rethrows {
        let start = bytes.count
        try body(&self)
        var header: [UInt8] = []
        DERWriter.append(tag, length: bytes.count - start, to: &header)
        bytes.insert(contentsOf: header, at: start)
    }

    public mutating func sequence(
        _ tag: DERTag = .sequence, _ body: (inout DERWriter) throws -> Void
    ) rethrows {
        try element(tag, body)
    }

    /// `[number] EXPLICIT`.
    public mutating func explicit(_ number: UInt32, _ body: (inout DERWriter) throws -> Void) rethrows {
        try element(.constructed(number), body)
    }

    /// SET OF, in ascending order of the encodings, whatever the order of the values.
    public mutating func setOf<Values: Sequence>(
        _ values: Values, _ tag: DERTag = .set, _ body: (inout DERWriter, Values.Element) throws -> Void
    ) rethrows {
        var elements: [[UInt8]] = []
        for value in values {
            var writer = DERWriter()
            try body(&writer, value)
            elements.append(writer.bytes)
        }
        elements.sort { $0.lexicographicallyPrecedes($1) }
        element(tag) { writer in
            for element in elements { writer.bytes += element }
        }
    }

    /// DER inside of an OCTET STRING.
    public mutating func octetStringHolding(
        _ tag: DERTag = .octetString, _ body: (inout DERWriter) throws -> Void
    ) rethrows {
        try element(tag, body)
    }

    /// DER inside of a BIT STRING.
    public mutating func bitStringHolding(
        _ tag: DERTag = .bitString, _ body: (inout DERWriter) throws -> Void
    ) rethrows {
        try element(tag) { writer in
            writer.bytes.append(0)
            try body(&writer)
        }
    }

    public mutating func write(_ value: some DERWritable) throws { try value.write(to: &self) }

    /// Elements that are DER already.
    public mutating func encoded(_ elements: [UInt8]) { bytes += elements }

    // MARK: Values

    public mutating func boolean(_ value: Bool, _ tag: DERTag = .boolean) {
        primitive(tag, [value ? 0xff : 0])
    }

    public mutating func integer(_ value: Int, _ tag: DERTag = .integer) {
        let all = (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
        integer(contents: all, tag)
    }

    /// From big-endian two's complement bytes, shortened as far as it goes; no bytes are zero.
    public mutating func integer(contents: [UInt8], _ tag: DERTag = .integer) {
        var start = 0
        while start + 1 < contents.count,
            contents[start] == 0 && contents[start + 1] < 0x80
                || contents[start] == 0xff && contents[start + 1] > 0x7f
        {
            start += 1
        }
        primitive(tag, contents.isEmpty ? [0] : contents[start...])
    }

    /// From the big-endian bytes of a number that is not negative.
    public mutating func integer(magnitude: [UInt8], _ tag: DERTag = .integer) {
        integer(contents: [0] + magnitude, tag)
    }

    public mutating func bitString(_ value: BitString, _ tag: DERTag = .bitString) {
        primitive(tag, [UInt8(value.unusedBits)] + value.bytes)
    }

    public mutating func octetString(_ value: [UInt8], _ tag: DERTag = .octetString) { primitive(tag, value) }

    public mutating func null(_ tag: DERTag = .null) { primitive(tag, [] as [UInt8]) }

    public mutating func oid(_ value: OID, _ tag: DERTag = .oid) { primitive(tag, value.contents) }

    /// `Time` of X.509: UTCTime from 1950 to 2049, GeneralizedTime in all other years.
    public mutating func time(_ value: ASN1Time) {
        if value.fitsUTCTime { utcTime(value) } else { generalizedTime(value) }
    }

    public mutating func generalizedTime(_ value: ASN1Time, _ tag: DERTag = .generalizedTime) {
        primitive(tag, value.generalizedTime.utf8)
    }

    /// The year is between 1950 and 2049.
    public mutating func utcTime(_ value: ASN1Time, _ tag: DERTag = .utcTime) {
        precondition(value.fitsUTCTime, "\(value) does not fit UTCTime")
        primitive(tag, value.generalizedTime.utf8.dropFirst(2))
    }

    // MARK: Text

    public mutating func utf8String(_ text: String, _ tag: DERTag = .utf8String) throws(ASN1Error) {
        try write(text, tag) { $0 != 0 }
    }

    public mutating func printableString(_ text: String, _ tag: DERTag = .printableString) throws(ASN1Error) {
        try write(text, tag, isPrintable)
    }

    public mutating func ia5String(_ text: String, _ tag: DERTag = .ia5String) throws(ASN1Error) {
        try write(text, tag) { 1..<0x80 ~= $0 }
    }

    private mutating func write(
        _ text: String, _ tag: DERTag, _ isAllowed: (UInt8) -> Bool
    ) throws(ASN1Error) {
        if let place = text.utf8.enumerated().first(where: { !isAllowed($0.element) })?.offset {
            throw ASN1Error(.badText, at: place)
        }
        primitive(tag, text.utf8)
    }

    // MARK: Parts

    private mutating func primitive(_ tag: DERTag, _ contents: some Collection<UInt8>) {
        DERWriter.append(tag, length: contents.count, to: &bytes)
        bytes.append(contentsOf: contents)
    }

    private static func append(_ tag: DERTag, length: Int, to bytes: inout [UInt8]) {
        let first = tag.class.rawValue << 6 | (tag.isConstructed ? 32 : 0)
        if tag.number < 31 {
            bytes.append(first | UInt8(tag.number))
        } else {
            bytes.append(first | 31)
            for shift in [21, 14, 7] as [UInt32] where tag.number >> shift > 0 {
                bytes.append(0x80 | UInt8(truncatingIfNeeded: tag.number >> shift))
            }
            bytes.append(UInt8(truncatingIfNeeded: tag.number & 0x7f))
        }
        guard length > 0x7f else { return bytes.append(UInt8(length)) }
        let width = (64 - length.leadingZeroBitCount + 7) / 8
        bytes.append(0x80 | UInt8(width))
        for place in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: length >> (8 * place))) }
    }
}
