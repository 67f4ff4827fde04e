// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Something seen or done, for the record: a name and a value for people and searches, such as `rpm-name`, `bash`.
public struct Fact: Hashable, Sendable {
    public let name: String
    public let value: String

    public static let longestName = 64
    public static let longestValue = 1024
    public static let most = 32

    /// Names are small letters, digits and `-`; a longer value is cut off at the limit, at the end of a character.
    public init(_ name: String, _ value: String) throws(KeyringError) {
        guard (1...Self.longestName).contains(name.utf8.count),
            name.utf8.allSatisfy({ 0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") })
        else {
            throw KeyringError(.invalidArgument, "fact: a name is small letters, digits and \"-\"")
        }
        self.name = name
        self.value = Self.kept(value)
    }

    private static func kept(_ value: String) -> String {
        guard value.utf8.count > longestValue else { return value }
        var end = value.utf8.index(value.startIndex, offsetBy: longestValue)
        while end.samePosition(in: value.unicodeScalars) == nil { end = value.utf8.index(before: end) }
        return String(value[..<end])
    }

    /// Sorted by name, each name once.
    static func canonical(_ facts: [Fact]) throws(KeyringError) -> [Fact] {
        let sorted = facts.sorted { $0.name < $1.name }
        guard facts.count <= most, Set(facts.map(\.name)).count == facts.count else {
            throw KeyringError(.invalidArgument, "facts: at most \(most), each name once")
        }
        return sorted
    }
}

extension CanonicalWriter {
    mutating func write(_ facts: [Fact]) {
        write(UInt32(truncatingIfNeeded: facts.count))
        for fact in facts {
            write(fact.name)
            write(fact.value)
        }
    }
}
