// SPDX-License-Identifier: Apache-2.0

extension SettingKind<String> {
    /// Any text that holds no literal secret.
    public static var string: SettingKind { string("a string") }

    private static func string(_ expectation: String) -> SettingKind {
        SettingKind(expectation, placeholder: "", isFreeText: true, show: shownString) {
            input throws(SettingRefusal) in
            try LiteralSecret.refuse(in: input.string())
        }
    }

    /// A path, made absolute against the folder of the file that holds it; in a variable or an argument it begins at
    /// the working directory. The file may hold a secret, the path is none.
    public static var path: SettingKind {
        SettingKind("a path", placeholder: "", show: shownString) { input throws(SettingRefusal) in
            let path = try input.string()
            guard !path.isEmpty, !path.utf8.contains(where: { $0 < 0x20 }) else {
                throw SettingRefusal(reason: "expected a path on one line; name the file, not what it holds")
            }
            return input.file?.resolve(path) ?? path
        }
    }

    /// One of a few words, as they are.
    public static func choice(_ words: [String]) -> SettingKind {
        SettingKind(
            "one of " + words.joined(separator: ", "), placeholder: words.first ?? "", show: shownString
        ) { input throws(SettingRefusal) in
            let word = try input.string()
            guard words.contains(word) else {
                throw input.mismatch(hint: NearestName.hint(word, among: words))
            }
            return word
        }
    }
}

extension SettingKind<Int> {
    public static var integer: SettingKind { integer("an integer", in: .min ... .max) }

    public static func integer(in range: ClosedRange<Int>) -> SettingKind {
        integer("an integer from \(range.lowerBound) to \(range.upperBound)", in: range)
    }

    private static func integer(_ expectation: String, in range: ClosedRange<Int>) -> SettingKind {
        SettingKind(expectation, placeholder: range.lowerBound, show: { String($0) }) {
            input throws(SettingRefusal) in
            let number: Int? =
                switch input.content {
                case .toml(.integer(let number)): Int(number)
                case .text(let text): Int(text)
                default: nil
                }
            guard let number, range.contains(number) else { throw input.mismatch }
            return number
        }
    }

    /// A number of bytes: a string such as "4MiB", or an integer.
    public static var size: SettingKind { size(in: 0 ... .max) }

    public static func size(in range: ClosedRange<Int>) -> SettingKind {
        let bounds =
            range == 0 ... .max
            ? "" : " from \(shownSize(range.lowerBound)) to \(shownSize(range.upperBound))"
        return SettingKind(
            "a size such as 64KiB or 4MiB\(bounds)", placeholder: range.lowerBound,
            show: { shownString(SizeText.show($0)) }
        ) { input throws(SettingRefusal) in
            let bytes: Int? =
                switch input.content {
                case .toml(.integer(let number)): Int(number)
                case .toml(.string(let text)), .text(let text): SizeText.parse(text)
                default: nil
                }
            guard let bytes, range.contains(bytes) else { throw input.mismatch }
            return bytes
        }
    }

    private static func shownSize(_ bytes: Int) -> String { SizeText.show(bytes) }
}

extension SettingKind<Double> {
    public static func number(in range: ClosedRange<Double>) -> SettingKind {
        SettingKind(
            "a number from \(range.lowerBound) to \(range.upperBound)", placeholder: range.lowerBound,
            show: { String($0) }
        ) { input throws(SettingRefusal) in
            let number: Double? =
                switch input.content {
                case .toml(.integer(let number)): Double(number)
                case .toml(.float(let number)): number
                case .text(let text): Double(text)
                default: nil
                }
            guard let number, range.contains(number) else { throw input.mismatch }
            return number
        }
    }
}

extension SettingKind<Bool> {
    public static var boolean: SettingKind {
        SettingKind("true or false", placeholder: false, show: { String($0) }) {
            input throws(SettingRefusal) in
            switch input.content {
            case .toml(.boolean(let flag)): return flag
            case .text("true"): return true
            case .text("false"): return false
            default: throw input.mismatch
            }
        }
    }
}

extension SettingKind<Duration> {
    /// A length of time: a string such as "90d", "1h30m" or "500ms".
    public static var duration: SettingKind { duration("", in: .zero ... .seconds(Int64.max / 1_000_000)) }

    public static func duration(in range: ClosedRange<Duration>) -> SettingKind {
        duration(
            " from \(DurationText.show(range.lowerBound)) to \(DurationText.show(range.upperBound))",
            in: range)
    }

    private static func duration(_ bounds: String, in range: ClosedRange<Duration>) -> SettingKind {
        SettingKind(
            "a duration such as 90d, 1h30m or 500ms\(bounds)", placeholder: range.lowerBound,
            show: { shownString(DurationText.show($0)) }
        ) { input throws(SettingRefusal) in
            let duration: Duration? =
                switch input.content {
                case .toml(.string(let text)), .text(let text): DurationText.parse(text)
                default: nil
                }
            guard let duration, range.contains(duration) else { throw input.mismatch }
            return duration
        }
    }
}

extension SettingKind {
    /// Several of one kind, in order.
    public static func list<Element: Sendable>(
        of kind: SettingKind<Element>, count: ClosedRange<Int> = 0 ... .max
    ) -> SettingKind where Value == [Element] {
        let bounds =
            count == 0 ... .max
            ? ""
            : count.upperBound == .max
                ? " (\(count.lowerBound) or more)" : " (\(count.lowerBound) to \(count.upperBound))"
        return SettingKind(
            "a list\(bounds), each \(kind.expectation)", placeholder: [], isFreeText: kind.isFreeText,
            show: { "[" + $0.map(kind.show).joined(separator: ", ") + "]" }
        ) { input throws(SettingRefusal) in
            let elements = try input.elements()
            guard count.contains(elements.count) else {
                throw SettingRefusal(reason: "expected \(input.expectation), not \(elements.count)")
            }
            var values: [Element] = []
            for (place, element) in elements.enumerated() {
                do throws(SettingRefusal) {
                    values.append(
                        try kind.decode(
                            SettingInput(
                                content: element.content, file: element.file, expectation: kind.expectation)))
                } catch {
                    throw SettingRefusal(code: error.code, reason: "element \(place + 1): \(error.reason)")
                }
            }
            return values
        }
    }
}
