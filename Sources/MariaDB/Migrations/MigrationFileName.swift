// SPDX-License-Identifier: Apache-2.0

/// `NNNN_name.up.sql` or `NNNN_name.down.sql`: four digits from 0001, a name of small letters, digits and `_`.
///
///     file = 4DIGIT "_" name "." ( "up" / "down" ) ".sql"
///     name = %x61-7A *79( %x61-7A / DIGIT / "_" )
public struct MigrationFileName: Hashable, Sendable, CustomStringConvertible {
    public enum Direction: String, Hashable, Sendable {
        case up
        case down
    }

    public let number: Int
    public let name: String
    public let direction: Direction

    /// `nil` for any other spelling.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count > 5, bytes[4] == UInt8(ascii: "_"), bytes[..<4].allSatisfy({ Self.isDigit($0) })
        else {
            return nil
        }
        let parts = text.dropFirst(5).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "sql", let direction = Direction(rawValue: String(parts[1]))
        else {
            return nil
        }
        let name = parts[0].utf8
        guard (1...80).contains(name.count), let first = name.first, Self.isLetter(first),
            name.allSatisfy({ Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "_") })
        else { return nil }
        number = bytes[..<4].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard number > 0 else { return nil }
        self.name = String(parts[0])
        self.direction = direction
    }

    public var description: String { "\(Self.padded(number))_\(name).\(direction.rawValue).sql" }

    static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
