// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics

/// What people call a key. A private key's name has its owner's in front.
///
/// ```
/// name  = [owner ":"] own          ; at most 255 bytes in all, as the signing protocol takes
/// own   = 4*VISIBLE                ; without ":"; no control characters, no space at either end
/// owner = 1*VISIBLE
/// ```
/// A name is unique among the living keys. It does not look like a key's id, so that one word can be either.
public struct KeyName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    public static let longest = 255
    public static let shortest = 4

    public init(_ text: String) throws(KeyringError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let own = parts.last, parts.count <= 2, text.utf8.count <= Self.longest,
            own.unicodeScalars.count >= Self.shortest, parts.allSatisfy({ Self.isClean($0) }),
            UniqueID(String(own)) == nil
        else {
            throw KeyringError(
                .invalidArgument,
                """
                name: a key's name has \(Self.shortest) to \(Self.longest) visible characters, no ":" but the one \
                behind a private key's owner, and is no id
                """)
        }
        self.text = text
    }

    /// The owner's name in front; `nil` for a public key.
    public var owner: String? {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        return String(text[..<colon])
    }

    public var description: String { text }
    public static func < (one: KeyName, other: KeyName) -> Bool { one.text < other.text }

    private static func isClean(_ part: Substring) -> Bool {
        guard let first = part.unicodeScalars.first, let last = part.unicodeScalars.last else { return false }
        return !first.properties.isWhitespace && !last.properties.isWhitespace
            && part.unicodeScalars.allSatisfy(Self.isVisible)
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
            false
        default: true
        }
    }
}
