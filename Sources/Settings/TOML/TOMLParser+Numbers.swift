// SPDX-License-Identifier: Apache-2.0

/// Integers and floats.
///
/// ```text
/// integer = [ "+" / "-" ] whole / "0x" digits16 / "0o" digits8 / "0b" digits2
/// float   = [ "+" / "-" ] ( whole ( "." digits [ exp ] / exp ) / "inf" / "nan" )
/// exp     = ( "e" / "E" ) [ "+" / "-" ] digits
/// whole   = "0" / digits without a leading zero
/// digits  = DIGIT *( [ "_" ] DIGIT )
/// ```
///
/// An integer that does not fit in 64 signed bits is refused; a float beyond the range of binary64 is infinite.
extension TOMLParser {
    /// `word` is a slice of the source.
    func parseNumber(_ word: ArraySlice<UInt8>) throws(TOMLError) -> TOMLValue.Content {
        var rest = word
        var negative = false
        if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            negative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        if rest.elementsEqual("inf".utf8) { return .float(negative ? -Double.infinity : Double.infinity) }
        if rest.elementsEqual("nan".utf8) { return .float(Double.nan) }
        if rest.count > 2, rest.first == UInt8(ascii: "0"), rest.count == word.count {
            switch rest[rest.startIndex + 1] {
            case UInt8(ascii: "x"): return try parseInteger(rest.dropFirst(2), radix: 16, of: word)
            case UInt8(ascii: "o"): return try parseInteger(rest.dropFirst(2), radix: 8, of: word)
            case UInt8(ascii: "b"): return try parseInteger(rest.dropFirst(2), radix: 2, of: word)
            default: break
            }
        }
        let isFloat = rest.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
        return isFloat ? try parseFloat(rest, of: word) : try parseDecimal(rest, negative: negative, of: word)
    }

    private func parseDecimal(_ digits: ArraySlice<UInt8>, negative: Bool, of word: ArraySlice<UInt8>)
        throws(TOMLError) -> TOMLValue.Content
    {
        try checkWhole(digits, of: word)
        guard let value = Int64((negative ? "-" : "") + Self.plain(digits)) else { throw overflow(word) }
        return .integer(value)
    }

    private func parseInteger(_ digits: ArraySlice<UInt8>, radix: Int, of word: ArraySlice<UInt8>)
        throws(TOMLError) -> TOMLValue.Content
    {
        guard Self.areDigits(digits, radix: radix) else { throw malformed(word) }
        guard let value = Int64(Self.plain(digits), radix: radix) else { throw overflow(word) }
        return .integer(value)
    }

    private func parseFloat(_ body: ArraySlice<UInt8>, of word: ArraySlice<UInt8>) throws(TOMLError)
        -> TOMLValue.Content
    {
        var mantissa = body
        if let mark = body.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
            mantissa = body[..<mark]
            var exponent = body[(mark + 1)...]
            if let sign = exponent.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                exponent = exponent.dropFirst()
            }
            guard Self.areDigits(exponent, radix: 10) else { throw malformed(word) }
        }
        if let point = mantissa.firstIndex(of: UInt8(ascii: ".")) {
            guard Self.areDigits(mantissa[(point + 1)...], radix: 10) else {
                throw fail(
                    at: word.startIndex, "a float without digits after the point", remedy: "write 1.0, not 1."
                )
            }
            mantissa = mantissa[..<point]
        }
        try checkWhole(mantissa, of: word)
        guard let value = Double(Self.plain(word)) else { throw malformed(word) }
        return .float(value)
    }

    private func checkWhole(_ digits: ArraySlice<UInt8>, of word: ArraySlice<UInt8>) throws(TOMLError) {
        guard Self.areDigits(digits, radix: 10) else { throw malformed(word) }
        if digits.count > 1, digits.first == UInt8(ascii: "0") {
            throw fail(
                at: word.startIndex, "a number with a leading zero",
                remedy: "remove the zero; octal numbers begin with 0o, text needs \"quotes\"")
        }
    }

    /// Digits, with single underscores between them.
    private static func areDigits(_ digits: ArraySlice<UInt8>, radix: Int) -> Bool {
        var afterDigit = false
        for byte in digits {
            if byte == UInt8(ascii: "_") {
                guard afterDigit else { return false }
                afterDigit = false
            } else {
                guard let digit = hexDigit(byte), digit < UInt32(radix) else { return false }
                afterDigit = true
            }
        }
        return afterDigit
    }

    private static func plain(_ digits: ArraySlice<UInt8>) -> String {
        String(decoding: digits.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }

    private func malformed(_ word: ArraySlice<UInt8>) -> TOMLError {
        fail(
            at: word.startIndex, "not a number, a date or a time",
            remedy: "put text in \"quotes\"; numbers look like 42, 1_000, 0x2a, 6.5 or 1e3")
    }

    private func overflow(_ word: ArraySlice<UInt8>) -> TOMLError {
        fail(
            at: word.startIndex, "an integer beyond 64 bits",
            remedy: "use one between -9223372036854775808 and 9223372036854775807")
    }
}
