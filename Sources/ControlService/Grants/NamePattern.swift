// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// A pattern over the names of keys, in which `*` stands for any characters or none.
struct NamePattern {
    /// What lies between the stars.
    private let parts: [[UInt8]]

    init(_ text: String) throws(ControlError) {
        guard (1...KeyName.longest).contains(text.utf8.count),
            text.utf8.count(where: { $0 == Self.star }) <= 8
        else {
            throw ControlError(
                .invalidArgument, "keys: a pattern has up to \(KeyName.longest) bytes and 8 \"*\"")
        }
        parts = text.utf8.split(separator: Self.star, omittingEmptySubsequences: false).map { Array($0) }
    }

    private static let star = UInt8(ascii: "*")

    /// The first part has to begin the name and the last to end it; those between are taken as soon as they come.
    func matches(_ name: String) -> Bool {
        var rest = Array(name.utf8)[...]
        guard let first = parts.first, let last = parts.last, rest.starts(with: first) else { return false }
        guard parts.count > 1 else { return rest.count == first.count }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() {
            guard let end = Self.end(of: part, in: rest) else { return false }
            rest = rest[end...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }

    private static func end(of part: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        while rest.count >= part.count {
            if rest.starts(with: part) { return rest.startIndex + part.count }
            rest = rest.dropFirst()
        }
        return nil
    }
}
