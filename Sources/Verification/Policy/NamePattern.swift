// SPDX-License-Identifier: Apache-2.0

/// A pattern of names: `*` stands for any characters, also none, and `?` for one.
///
/// ```text
/// pattern = 1*255( "*" / "?" / character )     ; a character stands for itself; none of / [ ] { } \ and controls
/// ```
struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    let description: String
    private let characters: [Unicode.Scalar]

    /// Matches every name.
    static let all = NamePattern(description: "*", characters: ["*"])

    private init(description: String, characters: [Unicode.Scalar]) {
        self.description = description
        self.characters = characters
    }

    /// Nil for what is no pattern.
    init?(_ text: String) {
        let characters = Array(text.unicodeScalars)
        guard (1...255).contains(characters.count),
            characters.allSatisfy({
                !"/[]{}\\".unicodeScalars.contains($0) && $0.value >= 0x20 && $0 != "\u{7f}"
            })
        else { return nil }
        description = text
        self.characters = characters
    }

    /// Whether the whole name is like it. The time is at most the product of both lengths.
    func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var (place, at) = (0, 0)
        // Where the last star was, and up to where it reaches so far.
        var star: (pattern: Int, name: Int)?
        while at < name.count {
            if place < characters.count, characters[place] == "*" {
                star = (place, at)
                place += 1
            } else if place < characters.count, characters[place] == "?" || characters[place] == name[at] {
                place += 1
                at += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                (place, at) = (last.pattern + 1, last.name + 1)
            } else {
                return false
            }
        }
        return characters[place...].allSatisfy { $0 == "*" }
    }
}
