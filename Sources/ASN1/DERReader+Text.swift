// SPDX-License-Identifier: Apache-2.0

public import Bytes

// Text. U+0000 is refused everywhere: it cuts a name short in programs written in C.
extension FormatReader where Format == DER {
    public mutating func utf8String(_ tag: DERTag = .utf8String) throws(ASN1Error) -> String {
        try text(tag) { String(validatingUTF8: $0.span) }
    }

    /// Letters, digits, space and `'()+,-./:=?`.
    public mutating func printableString(_ tag: DERTag = .printableString) throws(ASN1Error) -> String {
        try text(tag) { $0.allSatisfy(isPrintable) ? String(decoding: $0, as: UTF8.self) : nil }
    }

    /// ASCII.
    public mutating func ia5String(_ tag: DERTag = .ia5String) throws(ASN1Error) -> String {
        try text(tag) { $0.allSatisfy { $0 < 0x80 } ? String(decoding: $0, as: UTF8.self) : nil }
    }

    /// Text of whatever sort comes next, as names in certificates have it.
    ///
    /// Certificates that are in use take liberties, so a PrintableString may hold all of visible ASCII (`*`, `@`, `_`),
    /// a T61String is read as Latin-1, and a BMPString as UTF-16.
    public mutating func directoryText() throws(ASN1Error) -> String {
        switch nextTag {
        case .utf8String: return try utf8String()
        case .ia5String: return try ia5String()
        case .printableString: return try text(.printableString, visible)
        case .visibleString: return try text(.visibleString, visible)
        case .numericString:
            return try text(.numericString) {
                $0.allSatisfy { $0 == 0x20 || 0x30...0x39 ~= $0 } ? String(decoding: $0, as: UTF8.self) : nil
            }
        case .t61String:
            return try text(.t61String) { String(String.UnicodeScalarView($0.map { Unicode.Scalar($0) })) }
        case .bmpString: return try text(.bmpString, utf16)
        case .universalString: return try text(.universalString, utf32)
        case nil where bytes.isAtEnd: throw ASN1Error(.truncated, at: offset)
        default: throw ASN1Error(.unexpectedTag, at: offset)
        }
    }

    private mutating func text(
        _ tag: DERTag, _ decode: ([UInt8]) -> String?
    ) throws(ASN1Error) -> String {
        let (start, length) = (offset, try contents(tag))
        guard length <= longestText else { throw ASN1Error(.overLimit, at: start) }
        guard let text = decode(try take(length)), !text.utf8.contains(0) else {
            throw ASN1Error(.badText, at: start)
        }
        return text
    }
}

private let longestText = 1 << 16

func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x41...0x5a, 0x61...0x7a, 0x30...0x39: true
    case 0x20, 0x27...0x29, 0x2b...0x2f, 0x3a, 0x3d, 0x3f: true
    default: false
    }
}

private func visible(_ bytes: [UInt8]) -> String? {
    bytes.allSatisfy { 0x20...0x7e ~= $0 } ? String(decoding: bytes, as: UTF8.self) : nil
}

private func utf16(_ bytes: [UInt8]) -> String? {
    guard bytes.count.isMultiple(of: 2) else { return nil }
    let units = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    return String(validating: units, as: UTF16.self)
}

private func utf32(_ bytes: [UInt8]) -> String? {
    guard bytes.count.isMultiple(of: 4) else { return nil }
    let units = stride(from: 0, to: bytes.count, by: 4).map { start in
        bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    return String(validating: units, as: UTF32.self)
}
