// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Keyring

/// A moment as the REST API writes and reads it (RFC 3339).
///
/// ```
/// timestamp = date ( "T" / SP ) time [ "." 1*9DIGIT ] ( "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT )
/// date      = 4DIGIT "-" 2DIGIT "-" 2DIGIT
/// time      = 2DIGIT ":" 2DIGIT ":" 2DIGIT
/// ```
/// It is written in UTC, to the second. A fraction is dropped; a leap second is refused.
enum Timestamp {
    static func text(_ moment: Moment) -> String {
        ASN1Time(secondsSince1970: moment.seconds)?.description ?? "9999-12-31T23:59:59Z"
    }

    /// `nil` for any other text.
    static func parse(_ text: String) -> Moment? {
        let bytes = Array(text.utf8)
        guard (20...40).contains(bytes.count),
            [(4, "-"), (7, "-"), (13, ":"), (16, ":")].allSatisfy({ bytes[$0.0] == UInt8(ascii: $0.1) }),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
            let second = number(bytes[17..<19]),
            let local = ASN1Time(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second),
            let offset = offset(withoutFraction(bytes[19...]))
        else { return nil }
        // In UTC it has to be within the years that can be written, too.
        return ASN1Time(secondsSince1970: local.secondsSince1970 - Int64(offset)).map {
            Moment(seconds: $0.secondsSince1970)
        }
    }

    private static func withoutFraction(_ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard rest.first == UInt8(ascii: ".") else { return rest }
        let digits = rest.dropFirst().prefix { 0x30...0x39 ~= $0 }
        return (1...9).contains(digits.count) ? rest.dropFirst(1 + digits.count) : nil
    }

    /// Seconds east of UTC.
    private static func offset(_ zone: ArraySlice<UInt8>?) -> Int? {
        guard let zone, let sign = zone.first else { return nil }
        if zone.elementsEqual([UInt8(ascii: "Z")]) { return 0 }
        let start = zone.startIndex
        guard zone.count == 6, zone[start + 3] == UInt8(ascii: ":"),
            let hours = number(zone[start + 1..<start + 3]), hours < 24,
            let minutes = number(zone[start + 4..<start + 6]), minutes < 60
        else { return nil }
        switch sign {
        case UInt8(ascii: "+"): return (hours * 60 + minutes) * 60
        case UInt8(ascii: "-"): return -(hours * 60 + minutes) * 60
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { 0x30...0x39 ~= $0 } ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
    }
}

extension UInt8 {
    fileprivate init(ascii text: String) { self = text.utf8.first ?? 0 }
}
