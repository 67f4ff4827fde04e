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
/// A name is unique among the living keys. It does not look like a key's id, so that one word can be either. It is in
/// normalization form C, and names are equal when their bytes are: in memory, in the database and on the wire.
public struct KeyName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    public static let longest = 255
    public static let shortest = 4

    public init(_ text: String) throws(KeyringError) {
        // By scalars: a mark behind a colon makes another character of both.
        let parts = text.unicodeScalars.split(separator: ":", omittingEmptySubsequences: false)
        guard let own = parts.last, parts.count <= 2, text.utf8.count <= Self.longest,
            own.count >= Self.shortest, parts.allSatisfy({ Self.isClean($0) }),
            UniqueID(String(own)) == nil
        else {
            throw KeyringError(
                .invalidArgument,
                """
                name: a key's name has \(Self.shortest) to \(Self.longest) visible characters, no ":" but the one \
                behind a private key's owner, and is no id
                """)
        }
        guard text.isComposed else {
            throw KeyringError(
                .invalidArgument,
                "name: its letters and marks are not in their composed form (Unicode NFC), so it would look like another"
            )
        }
        self.text = text
    }

    /// The owner's name in front; `nil` for a public key.
    public var owner: String? {
        guard let colon = text.unicodeScalars.firstIndex(of: ":") else { return nil }
        return String(text.unicodeScalars[..<colon])
    }

    /// Whether these bytes are a part of it.
    public func contains(_ part: String) -> Bool {
        let (bytes, part) = (Array(text.utf8), Array(part.utf8))
        guard part.count <= bytes.count else { return false }
        return (0...bytes.count - part.count).contains { bytes[$0...].starts(with: part) }
    }

    public var description: String { text }
    public static func < (one: KeyName, other: KeyName) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }
    public static func == (one: KeyName, other: KeyName) -> Bool {
        one.text.utf8.elementsEqual(other.text.utf8)
    }
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    private static func isClean(_ part: Substring.UnicodeScalarView) -> Bool {
        guard let first = part.first, let last = part.last else { return false }
        // A mark in front would change the look of what it is shown behind.
        return !first.isMark && !first.properties.isWhitespace && !last.properties.isWhitespace
            && part.allSatisfy(Self.isVisible)
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
            false
        default: true
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}
