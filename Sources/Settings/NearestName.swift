// SPDX-License-Identifier: Apache-2.0

/// The known name that somebody probably meant: the one fewest edits away (a letter put in, left out, replaced, or two
/// swapped), if those are at most a third of its letters, at least one.
enum NearestName {
    static func of(_ name: String, among known: [String]) -> String? {
        guard name.utf8.count <= 80 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = distance(Array(name.utf8), Array(candidate.utf8))
            if distance <= max(1, candidate.utf8.count / 3), distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    /// "; did you mean `x`?", or nothing.
    static func hint(_ name: String, among known: [String]) -> String? {
        of(name, among: known).map { "did you mean `\($0)`?" }
    }

    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...other.count)
        for row in one.indices {
            var next = [row + 1]
            for column in other.indices {
                let same = folded(one[row]) == folded(other[column])
                var cost = min(last[column] + (same ? 0 : 1), last[column + 1] + 1, next[column] + 1)
                if row > 0, column > 0, one[row] == other[column - 1], one[row - 1] == other[column] {
                    cost = min(cost, before[column - 1] + 1)
                }
                next.append(cost)
            }
            before = last
            last = next
        }
        return last[other.count]
    }

    /// Capitals, hyphens and underscores are easily mistaken.
    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "_"): UInt8(ascii: "-")
        default: byte
        }
    }
}
