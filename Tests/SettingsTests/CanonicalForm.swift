// SPDX-License-Identifier: Apache-2.0

import Settings

/// The form in which two parsers' results are compared: JSON with sorted keys, every leaf a string that tells its
/// kind. Text is in hexadecimal, floats are their bits, fractions of a second are cut to what Python keeps.
enum CanonicalForm {
    static func of(_ table: TOMLTable) -> String {
        let entries = table.entries.map { (hex($0.key), $0.value) }.sorted { $0.0 < $1.0 }
        return "{" + entries.map { "\"\($0.0)\":\(of($0.1))" }.joined(separator: ",") + "}"
    }

    static func of(_ value: TOMLValue) -> String {
        switch value.content {
        case .string(let text): "\"s:\(hex(text))\""
        case .integer(let number): "\"i:\(number)\""
        case .float(let number):
            number.isNaN ? "\"f:nan\"" : "\"f:\(padded(number.bitPattern, 16, radix: 16))\""
        case .boolean(let flag): "\"b:\(flag)\""
        case .date(let date): "\"d:\(of(date))\""
        case .time(let time): "\"t:\(of(time))\""
        case .dateTime(let date, let time, let offset):
            "\"dt:\(of(date))T\(of(time))\(offset.map { " \($0)" } ?? "")\""
        case .array(let values): "[" + values.map { of($0) }.joined(separator: ",") + "]"
        case .table(let table): of(table)
        }
    }

    private static func of(_ date: TOMLDate) -> String {
        "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    private static func of(_ time: TOMLTime) -> String {
        "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
            + ".\(padded(time.nanosecond / 1000, 6))"
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int, radix: Int = 10) -> String {
        let digits = String(number, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func hex(_ text: String) -> String {
        text.utf8.map { padded($0, 2, radix: 16) }.joined()
    }
}
