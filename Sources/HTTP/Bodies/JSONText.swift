// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Judges a JSON text (RFC 8259) before it is decoded. It takes the grammar, and refuses what readers of JSON differ
/// about:
///
/// ```text
/// text   = ws value ws          value = object / array / string / number / "true" / "false" / "null"
/// number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ ( "e" / "E" ) [ "+" / "-" ] 1*digit ]
/// ```
///
/// Refused beside: two equal keys of one object (after their escapes), nesting beyond `deepest`, halves of surrogate
/// pairs, NUL in strings, a byte-order mark, text that is not UTF-8, numbers of more than 64 characters.
public struct JSONText {
    public struct Refusal: Error, Equatable, CustomStringConvertible {
        public let reason: String
        public let offset: Int
        public var description: String { "\(reason) at byte \(offset)" }
    }

    public static let deepest = 32

    private let bytes: [UInt8]
    private var offset = 0
    private var depth = 0

    public static func check(_ bytes: [UInt8]) throws(Refusal) {
        guard String(validatingUTF8: bytes.span) != nil else {
            throw Refusal(reason: "text that is not UTF-8", offset: 0)
        }
        var text = JSONText(bytes: bytes)
        text.skipSpace()
        try text.value()
        text.skipSpace()
        guard text.offset == bytes.count else { throw text.refusal("something behind the value") }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func refusal(_ reason: String) -> Refusal { Refusal(reason: reason, offset: offset) }
    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        offset += 1
        return true
    }

    // MARK: Values

    private mutating func value() throws(Refusal) {
        switch next {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func word(_ word: String) throws(Refusal) {
        guard bytes[offset...].starts(with: word.utf8) else { throw refusal("no JSON value") }
        offset += word.utf8.count
    }

    private mutating func enter() throws(Refusal) {
        guard depth < Self.deepest else { throw refusal("nesting deeper than \(Self.deepest)") }
        depth += 1
        offset += 1
        skipSpace()
    }

    private mutating func object() throws(Refusal) {
        try enter()
        defer { depth -= 1 }
        if take("}") { return }
        var keys: Set<[UInt8]> = []
        while true {
            guard next == UInt8(ascii: "\"") else { throw refusal("no key") }
            let key = try string()
            guard keys.insert(key).inserted else { throw refusal("a key that the object has already") }
            skipSpace()
            guard take(":") else { throw refusal("no colon behind a key") }
            skipSpace()
            try value()
            skipSpace()
            if take("}") { return }
            guard take(",") else { throw refusal("an object that does not go on") }
            skipSpace()
        }
    }

    private mutating func array() throws(Refusal) {
        try enter()
        defer { depth -= 1 }
        if take("]") { return }
        while true {
            try value()
            skipSpace()
            if take("]") { return }
            guard take(",") else { throw refusal("an array that does not go on") }
            skipSpace()
        }
    }

    private mutating func number() throws(Refusal) {
        let start = offset
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        guard offset - start <= 64 else { throw refusal("a number of more than 64 characters") }
    }

    private mutating func digits() throws(Refusal) {
        guard let first = next, first.isDigitByte else { throw refusal("no JSON value") }
        while let byte = next, byte.isDigitByte { offset += 1 }
    }

    // MARK: Strings

    /// The string's text as UTF-8.
    private mutating func string() throws(Refusal) -> [UInt8] {
        offset += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return text
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw refusal("a control character in a string")
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw refusal("a string without an end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Refusal) {
        offset += 1
        guard let byte = next else { throw refusal("a string without an end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): try unicode(into: &text)
        default: throw refusal("an unknown escape")
        }
    }

    private mutating func unicode(into text: inout [UInt8]) throws(Refusal) {
        var code = try fourDigits()
        if code & 0xfc00 == 0xd800 {
            guard take("\\"), take("u") else { throw refusal("half of a surrogate pair") }
            let low = try fourDigits()
            guard low & 0xfc00 == 0xdc00 else { throw refusal("half of a surrogate pair") }
            code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
        }
        guard code != 0, let scalar = Unicode.Scalar(code) else {
            throw refusal(code == 0 ? "NUL in a string" : "half of a surrogate pair")
        }
        text += Array(String(Character(scalar)).utf8)
    }

    private mutating func fourDigits() throws(Refusal) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = next?.hexValue else { throw refusal("a malformed escape") }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}
