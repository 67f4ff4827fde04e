// SPDX-License-Identifier: Apache-2.0

/// Lengths of time as text.
///
/// ```text
/// duration = 1*( number unit )      units in falling order, each at most once
/// unit     = "w" / "d" / "h" / "m" / "s" / "ms" / "us"
/// number   = 1*DIGIT
/// ```
///
/// A day has 24 hours. `90d`, `1h30m`, `500ms`; not `1.5h`, not `90` without a unit.
public enum DurationText {
    private static let units: [(name: String, microseconds: Int64)] = [
        ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000),
        ("s", 1_000_000), ("ms", 1_000), ("us", 1),
    ]

    public static func parse(_ text: String) -> Duration? {
        var rest = Array(text.utf8)[...]
        var total: Int64 = 0
        var largest = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            guard let number = QuantityText.takeNumber(&rest) else { return nil }
            let letters = rest.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            rest = rest[letters.endIndex...]
            let name = String(decoding: letters, as: UTF8.self)
            guard let place = units[largest...].firstIndex(where: { $0.name == name }) else { return nil }
            largest = place + 1
            let (product, tooLarge) = number.multipliedReportingOverflow(by: units[place].microseconds)
            let (sum, overflow) = total.addingReportingOverflow(product)
            guard !tooLarge, !overflow else { return nil }
            total = sum
        }
        return .microseconds(total)
    }

    /// The shortest form without weeks; what is finer than a microsecond is cut off.
    public static func show(_ duration: Duration) -> String {
        let (seconds, fraction) = duration.components
        var rest =
            seconds.multipliedReportingOverflow(by: 1_000_000).partialValue + fraction / 1_000_000_000_000
        var text = ""
        for unit in units.dropFirst() where rest >= unit.microseconds {
            text += "\(rest / unit.microseconds)\(unit.name)"
            rest %= unit.microseconds
        }
        return text.isEmpty ? "0s" : text
    }
}

/// Numbers of bytes as text.
///
/// ```text
/// size = number [ "B" / "KiB" / "MiB" / "GiB" / "TiB" ]
/// ```
///
/// `64KiB`, `4MiB`, `512`; not `4MB`, of which nobody knows whether it means 4000000 or 4194304.
public enum SizeText {
    private static let units: [(name: String, shift: Int)] = [
        ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0), ("", 0),
    ]

    public static func parse(_ text: String) -> Int? {
        var rest = Array(text.utf8)[...]
        guard let number = QuantityText.takeNumber(&rest) else { return nil }
        let name = String(decoding: rest, as: UTF8.self)
        guard let unit = units.first(where: { $0.name == name }) else { return nil }
        let (bytes, tooLarge) = number.multipliedReportingOverflow(by: 1 << Int64(unit.shift))
        return tooLarge ? nil : Int(bytes)
    }

    /// In the largest unit that gives a whole number.
    public static func show(_ bytes: Int) -> String {
        let unit = units.first { bytes > 0 && bytes & ((1 << $0.shift) - 1) == 0 } ?? ("B", 0)
        return "\(bytes >> unit.shift)\(unit.name)"
    }
}

enum QuantityText {
    /// The digits at the front, as a number of at most 63 bits.
    static func takeNumber(_ text: inout ArraySlice<UInt8>) -> Int64? {
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
        text = text[digits.endIndex...]
        return number
    }
}
