// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// What a setting may be: how its value is read, checked and shown.
///
/// Kinds are values: `.string`, `.integer(in: 1...65535)`, `.list(of: .path)`. There is no kind for a secret; the
/// file that holds one is a `.path` in a setting whose name ends in `_file`.
public struct SettingKind<Value: Sendable>: Sendable {
    /// Completes the sentence "expected ...".
    public let expectation: String
    /// What a reader hands out after a problem; it never leaves `SettingsSources.read`.
    let placeholder: Value
    /// Whether any text at all is taken, so that a secret would pass.
    let isFreeText: Bool
    let show: @Sendable (Value) -> String
    let decode: @Sendable (SettingInput) throws(SettingRefusal) -> Value

    init(
        _ expectation: String, placeholder: Value, isFreeText: Bool = false,
        show: @escaping @Sendable (Value) -> String,
        decode: @escaping @Sendable (SettingInput) throws(SettingRefusal) -> Value
    ) {
        self.expectation = expectation
        self.placeholder = placeholder
        self.isFreeText = isFreeText
        self.show = show
        self.decode = decode
    }

    /// A kind of one's own, written as a string: `parse` returns nil for what it does not take.
    public static func text(
        _ expectation: String, placeholder: Value, show: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String) -> Value?
    ) -> SettingKind {
        SettingKind(expectation, placeholder: placeholder, show: { shownString(show($0)) }) {
            input throws(SettingRefusal) in
            guard let value = parse(try input.string()) else { throw input.mismatch }
            return value
        }
    }
}

extension SettingKind where Value: Equatable {
    /// One of a few words, each with what it stands for.
    public static func choice(_ words: KeyValuePairs<String, Value>) -> SettingKind {
        let words = words.map { (name: $0.key, value: $0.value) }
        let names = words.map(\.name)
        return SettingKind(
            "one of " + names.joined(separator: ", "), placeholder: words[0].value,
            show: { value in shownString(words.first { $0.value == value }?.name ?? "") },
            decode: { input throws(SettingRefusal) in
                let word = try input.string()
                guard let match = words.first(where: { $0.name == word }) else {
                    throw input.mismatch(hint: NearestName.hint(word, among: names))
                }
                return match.value
            })
    }
}

/// Why a value is not taken.
struct SettingRefusal: Error {
    var code = ErrorCode.settingInvalid
    var reason: String
}

/// A value as it was given, before it is of a kind.
struct SettingInput {
    enum Content {
        case toml(TOMLValue.Content)
        /// From the environment or an argument.
        case text(String)
    }

    let content: Content
    /// Whose paths begin at its folder.
    let file: SettingsFile?
    let expectation: String

    /// The refusal of a value of the wrong kind; numbers and booleans are shown, text never is.
    var mismatch: SettingRefusal { mismatch(hint: nil) }

    func mismatch(hint: String?) -> SettingRefusal {
        let found =
            switch content {
            case .toml(.integer(let number)): ", not \(number)"
            case .toml(.float(let number)): ", not \(number)"
            case .toml(.boolean(let flag)): ", not \(flag)"
            case .toml(.string), .text: ""
            case .toml(let content): ", not \(TOMLValue(content: content, offset: 0).kind)"
            }
        return SettingRefusal(reason: "expected \(expectation)\(found)" + (hint.map { "; \($0)" } ?? ""))
    }

    func string() throws(SettingRefusal) -> String {
        switch content {
        case .toml(.string(let text)), .text(let text): return text
        default: throw mismatch
        }
    }

    /// The elements of a list.
    func elements() throws(SettingRefusal) -> [SettingInput] {
        switch content {
        case .toml(.array(let values)):
            return values.map { element(.toml($0.content)) }
        case .text(let text):
            if text.isEmpty { return [] }
            guard text.hasPrefix("[") else {
                return text.split(separator: ",", omittingEmptySubsequences: false).map {
                    element(.text(String($0.trimmingBlanks())))
                }
            }
            guard let document = try? TOMLDocument("list = " + text), document.root.entries.count == 1,
                case .array(let values)? = document.root["list"]?.value.content
            else { throw mismatch }
            return values.map { element(.toml($0.content)) }
        default: throw mismatch
        }
    }

    private func element(_ content: Content) -> SettingInput {
        SettingInput(content: content, file: file, expectation: expectation)
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> Substring {
        var rest = self
        while rest.first == " " { rest = rest.dropFirst() }
        while rest.last == " " { rest = rest.dropLast() }
        return rest
    }
}
