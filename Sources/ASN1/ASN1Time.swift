// SPDX-License-Identifier: Apache-2.0

/// A second in UTC, from the year 0 to 9999, without leap seconds.
///
/// ```
/// UTCTime         = 2DIGIT month day hour minute second "Z"   ; 50 to 99 are 1950 to 1999, 00 to 49 are 2000 to 2049
/// GeneralizedTime = 4DIGIT month day hour minute second "Z"   ; no fraction, as RFC 5280 demands
/// ```
public struct ASN1Time: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let secondsSince1970: Int64

    private static let first: Int64 = -62_167_219_200
    private static let last: Int64 = 253_402_300_799

    /// `nil` outside of the years 0 to 9999.
    public init?(secondsSince1970 seconds: Int64) {
        guard ASN1Time.first...ASN1Time.last ~= seconds else { return nil }
        secondsSince1970 = seconds
    }

    /// `nil` for what is in no calendar.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard 0...9999 ~= year, 1...12 ~= month, 0...23 ~= hour, 0...59 ~= minute, 0...59 ~= second else {
            return nil
        }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        guard 1...length ~= day else { return nil }
        let seconds = ASN1Time.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        secondsSince1970 = Int64(seconds)
    }

    /// Years count from March, so that the leap day is the last of a year; 400 years are 146,097 days.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let years = (month > 2 ? year : year - 1) + 400
        let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return 365 * years + years / 4 - years / 100 + years / 400 + ofYear - 719_468 - 146_097
    }

    /// Year, month, day, hour, minute and second.
    public var components: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        let seconds = Int(secondsSince1970 - ASN1Time.first)
        // Since March of the year -400.
        let days = seconds / 86_400 + 146_097 - 60
        let cycle = days / 146_097
        let ofCycle = days % 146_097
        let years = (ofCycle - ofCycle / 1_460 + ofCycle / 36_524 - ofCycle / 146_096) / 365
        let ofYear = ofCycle - (365 * years + years / 4 - years / 100)
        let fromMarch = (5 * ofYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        let year = 400 * (cycle - 1) + years + (month < 3 ? 1 : 0)
        let rest = seconds % 86_400
        return (
            year, month, ofYear - (153 * fromMarch + 2) / 5 + 1, rest / 3600, rest % 3600 / 60, rest % 60
        )
    }

    /// Whether X.509 writes it as UTCTime.
    public var fitsUTCTime: Bool { 1950...2049 ~= components.year }

    public static func < (left: ASN1Time, right: ASN1Time) -> Bool {
        left.secondsSince1970 < right.secondsSince1970
    }

    /// As RFC 3339 has it.
    public var description: String {
        let parts = components
        let day = "\(pad(parts.year, 4))-\(pad(parts.month))-\(pad(parts.day))"
        return "\(day)T\(pad(parts.hour)):\(pad(parts.minute)):\(pad(parts.second))Z"
    }

    // MARK: Contents

    init?(utcTime contents: [UInt8]) {
        guard contents.count == 13, let year = ASN1Time.number(contents[0..<2]) else { return nil }
        self.init(year: year < 50 ? 2000 + year : 1900 + year, rest: contents[2...])
    }

    init?(generalizedTime contents: [UInt8]) {
        guard contents.count == 15, let year = ASN1Time.number(contents[0..<4]) else { return nil }
        self.init(year: year, rest: contents[4...])
    }

    private init?(year: Int, rest: ArraySlice<UInt8>) {
        let start = rest.startIndex
        let parts = (0..<5).compactMap { ASN1Time.number(rest[start + 2 * $0..<start + 2 * $0 + 2]) }
        guard parts.count == 5, rest.last == UInt8(ascii: "Z") else { return nil }
        self.init(
            year: year, month: parts[0], day: parts[1], hour: parts[2], minute: parts[3], second: parts[4])
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { 0x30...0x39 ~= $0 } ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
    }

    var generalizedTime: String {
        let parts = components
        return pad(parts.year, 4) + pad(parts.month) + pad(parts.day) + pad(parts.hour) + pad(parts.minute)
            + pad(parts.second) + "Z"
    }

    private func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
