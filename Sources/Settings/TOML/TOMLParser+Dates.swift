// SPDX-License-Identifier: Apache-2.0

/// Dates and times of RFC 3339.
///
/// ```text
/// date-time = date ( "T" / "t" / " " ) time [ "Z" / "z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT ]
/// date      = 4DIGIT "-" 2DIGIT "-" 2DIGIT
/// time      = 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*DIGIT ]
/// ```
extension TOMLParser {
    static func isDateShaped(_ word: ArraySlice<UInt8>) -> Bool {
        word.count >= 5 && number(word.prefix(4)) != nil && word[word.startIndex + 4] == UInt8(ascii: "-")
    }

    static func isTimeShaped(_ word: ArraySlice<UInt8>) -> Bool {
        word.count >= 3 && number(word.prefix(2)) != nil && word[word.startIndex + 2] == UInt8(ascii: ":")
    }

    func parseDateTime(_ word: ArraySlice<UInt8>) throws(TOMLError) -> TOMLValue.Content {
        let date = try parseDate(word)
        let tail = word.dropFirst(10)
        guard let separator = tail.first else { return .date(date) }
        guard
            separator == UInt8(ascii: "T") || separator == UInt8(ascii: "t") || separator == UInt8(ascii: " ")
        else { throw malformedDate(word) }
        var clock = tail.dropFirst()
        var minutes: Int?
        if let last = clock.last, last | 0x20 == UInt8(ascii: "z") {
            minutes = 0
            clock = clock.dropLast()
        } else if let mark = clock.firstIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }) {
            minutes = try parseOffset(clock[mark...], of: word)
            clock = clock[..<mark]
        }
        return .dateTime(date, try parseTime(clock), offset: minutes)
    }

    private func parseDate(_ word: ArraySlice<UInt8>) throws(TOMLError) -> TOMLDate {
        let start = word.startIndex
        guard word.count >= 10, word[start + 7] == UInt8(ascii: "-"), let year = Self.number(word.prefix(4)),
            let month = Self.number(word[(start + 5)..<(start + 7)]),
            let day = Self.number(word[(start + 8)..<(start + 10)])
        else { throw malformedDate(word) }
        guard (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year) else {
            throw fail(at: start, "a day that is not in the calendar", remedy: "check the month and the day")
        }
        return TOMLDate(year: year, month: month, day: day)
    }

    func parseTime(_ word: ArraySlice<UInt8>) throws(TOMLError) -> TOMLTime {
        let start = word.startIndex
        guard word.count >= 8, word[start + 2] == UInt8(ascii: ":"), word[start + 5] == UInt8(ascii: ":"),
            let hour = Self.number(word.prefix(2)), let minute = Self.number(word[(start + 3)..<(start + 5)]),
            let second = Self.number(word[(start + 6)..<(start + 8)])
        else { throw malformedDate(word) }
        guard hour <= 23, minute <= 59, second <= 60 else {
            throw fail(at: start, "a time that is not on the clock", remedy: "use 00:00:00 to 23:59:59")
        }
        var nanosecond = 0
        let fraction = word.dropFirst(8)
        if let point = fraction.first {
            let digits = fraction.dropFirst()
            guard point == UInt8(ascii: "."), !digits.isEmpty, digits.allSatisfy({ Self.digit($0) != nil })
            else { throw malformedDate(word) }
            nanosecond = Self.number(digits.prefix(9)) ?? 0
            for _ in digits.prefix(9).count..<9 { nanosecond *= 10 }
        }
        return TOMLTime(hour: hour, minute: minute, second: second, nanosecond: nanosecond)
    }

    /// In minutes.
    private func parseOffset(_ text: ArraySlice<UInt8>, of word: ArraySlice<UInt8>) throws(TOMLError) -> Int {
        let start = text.startIndex
        guard text.count == 6, text[start + 3] == UInt8(ascii: ":"),
            let hours = Self.number(text[(start + 1)..<(start + 3)]),
            let minutes = Self.number(text[(start + 4)..<(start + 6)]), hours <= 23, minutes <= 59
        else { throw malformedDate(word) }
        return (text[start] == UInt8(ascii: "-") ? -1 : 1) * (60 * hours + minutes)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int(byte - UInt8(ascii: "0")) : nil
    }

    /// At most nine digits and nothing else.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        var value = 0
        for byte in digits {
            guard let digit = digit(byte) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private func malformedDate(_ word: ArraySlice<UInt8>) -> TOMLError {
        fail(
            at: word.startIndex, "not a date or a time",
            remedy: "write 2026-01-31, 2026-01-31T08:30:00Z or 08:30:00; put text in \"quotes\"")
    }
}
