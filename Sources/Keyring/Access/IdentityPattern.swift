// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Which clients a grant is for.
///
/// ```
/// pattern = authority sort value         ; authority and sort have to be equal
/// value   = 1*( VISIBLE / "*" )
/// ```
/// A `*` stands for one or more characters, but for no `/` in a URI and no `.` in a DNS name: a pattern for one level
/// of names does not reach into the next. A name that holds a `*` itself is matched by a `*` alone.
public struct IdentityPattern: Hashable, Sendable, CustomStringConvertible {
    /// The authority and sort, and the pattern in the place of the name.
    public let form: ClientIdentity

    public init(authority: [UInt8], sort: ClientIdentity.Sort, value: String) throws(KeyringError) {
        form = try ClientIdentity(authority: authority, sort: sort, value: value)
        guard value.utf8.count(where: { $0 == Self.star }) <= Self.mostStars, !value.contains("**") else {
            throw KeyringError(
                .invalidArgument,
                "identity pattern: at most \(Self.mostStars) \"*\", and no two side by side")
        }
        guard value.utf8.contains(where: { $0 != Self.star && $0 != separator }) else {
            throw KeyringError(
                .invalidArgument, "identity pattern: it would match every client of an authority")
        }
    }

    public var description: String { form.description }

    public func matches(_ client: ClientIdentity) -> Bool {
        guard client.sort == form.sort, client.authority == form.authority else { return false }
        // Both are ASCII, so equal text is equal bytes.
        guard form.value.utf8.contains(Self.star) else { return form.value == client.value }
        return Self.matches(Array(form.value.utf8), Array(client.value.utf8), separator: separator)
    }

    private static let star = UInt8(ascii: "*")
    private static let mostStars = 8

    private var separator: UInt8? {
        switch form.sort {
        case .uri: UInt8(ascii: "/")
        case .dns: UInt8(ascii: ".")
        case .cn: nil
        }
    }

    /// For each place of the pattern, which ends in the name it can have: `pattern * name` steps, whatever they hold.
    private static func matches(_ pattern: [UInt8], _ name: [UInt8], separator: UInt8?) -> Bool {
        var reached = [Bool](repeating: false, count: name.count + 1)
        reached[0] = true
        for sign in pattern {
            var next = [Bool](repeating: false, count: name.count + 1)
            for (place, byte) in name.enumerated() {
                if sign == star {
                    next[place + 1] = (reached[place] || next[place]) && byte != separator
                } else {
                    next[place + 1] = reached[place] && byte == sign
                }
            }
            reached = next
        }
        return reached[name.count]
    }
}
