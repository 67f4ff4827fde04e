// SPDX-License-Identifier: Apache-2.0

/// Text of others, such as the names of files and what servers say, made fit for a line on a terminal: what a terminal
/// would obey is written as `\u{...}`.
enum ShownText {
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        return text.unicodeScalars.reduce(into: "") { shown, scalar in
            if isHidden(scalar) {
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
    }

    /// The same for text of several lines.
    static func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line(String($0)) }
            .joined(separator: "\n")
    }

    /// Control characters, separators of lines, and what turns the direction of the text or has no width.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }

    /// How many columns it takes, near enough for tables.
    static func width(_ text: String) -> Int { text.count }
}
