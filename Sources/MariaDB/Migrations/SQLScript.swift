// SPDX-License-Identifier: Apache-2.0

internal import Cryptography

/// The statements of a migration file.
///
///     script    = *( statement ";" ) [ statement ]
///     statement = *( word / string / comment / other )       ; no ";" outside strings and comments
///     string    = "'" ... "'" / DQUOTE ... DQUOTE             ; quote doubled or after "\" inside
///               / "`" ... "`"                                 ; quote doubled inside
///     comment   = "#" to end of line / "--" (blank / end) to end of line / "/*" to "*/"
///
/// Comments around a statement are no part of it. Refused, with the line: text that is not UTF-8, an open string or
/// comment, DELIMITER and bodies of stored programs that need it, comments that only some servers execute (`/*!`), and
/// what belongs to the runner: transactions, locks, USE and SET.
public struct SQLScript: Hashable, Sendable {
    public struct Statement: Hashable, Sendable {
        public let text: String
        /// Counted from 1.
        public let line: Int
        /// INSERT, UPDATE, DELETE and REPLACE take part in a transaction; everything else commits by itself.
        public let isTransactional: Bool
    }

    public let statements: [Statement]
    /// SHA-256 of the file, byte for byte.
    public let checksum: [UInt8]

    static let limit = 1 << 20

    /// `name` is what errors call the file.
    public init(_ bytes: [UInt8], name: String) throws(MigrationError) {
        guard bytes.count <= Self.limit else {
            throw .invalid("\(name): longer than \(Self.limit) bytes")
        }
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw .invalid("\(name): not UTF-8 text")
        }
        var splitter = SQLSplitter(bytes, name)
        statements = try splitter.statements()
        checksum = Digest(hashing: bytes.span, with: .sha256).bytes
    }

    /// SHA-256 over the first `count` statements, each with its length, so that a half-applied file may change behind
    /// them.
    func checksum(ofFirst count: Int) -> [UInt8] {
        var digest = RunningDigest(.sha256)
        for statement in statements.prefix(count) {
            let text = Array(statement.text.utf8)
            let length = Array("\(text.count):".utf8)
            digest.update(length.span)
            digest.update(text.span)
        }
        return digest.finish().bytes
    }
}
