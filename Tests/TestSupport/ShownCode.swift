// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Code that a doc comment shows, and the same code in a test, which compiles and runs it: neither may drift away.
/// In the test it stands between the lines `// shown:` and `// :shown`.
public enum ShownCode {
    /// The code blocks of all doc comments in a file of this repository, without white space.
    public static func ofComments(in path: String) throws -> String {
        try joined(path, from: "/// ```swift", to: "/// ```") { $0.dropFirst("///".count) }
    }

    /// The marked parts of a test's file, without white space.
    public static func ofTest(in path: String) throws -> String {
        try joined(path, from: "// shown:", to: "// :shown") { $0[...] }
    }

    private static func joined(
        _ path: String, from start: String, to end: String, _ line: (String) -> Substring
    ) throws -> String {
        let text = try String(contentsOfFile: Repository.path(path), encoding: .utf8)
        var isShown = false
        var result = ""
        for raw in text.split(separator: "\n") {
            let trimmed = raw.trimmingCharacters(in: .whitespaces)
            switch trimmed {
            case start: isShown = true
            case end: isShown = false
            default: if isShown { result += line(trimmed).filter { !$0.isWhitespace } }
            }
        }
        return result
    }
}
