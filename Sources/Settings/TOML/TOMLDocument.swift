// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// A parsed TOML 1.0 file: its tree of values, and the line and column of each.
///
/// Everything that TOML 1.0 refuses is refused, with the place and the remedy. A file is bounded in size and in
/// depth, so that a hostile one costs neither memory nor stack.
public struct TOMLDocument: Sendable {
    /// What a file may cost.
    public struct Limits: Sendable {
        public var bytes: Int
        /// How many tables and arrays may stand inside one another.
        public var depth: Int

        public init(bytes: Int = 1 << 20, depth: Int = 64) {
            self.bytes = bytes
            self.depth = depth
        }
    }

    public let root: TOMLTable
    private let source: [UInt8]
    /// The position of each 1024th byte, so that finding one costs little in files of any shape.
    private let milestones: [TOMLPosition]

    public init(_ source: [UInt8], limits: Limits = Limits()) throws(TOMLError) {
        guard source.count <= limits.bytes else {
            throw TOMLError(
                TOMLPosition(line: 1, column: 1), "the file is larger than \(limits.bytes) bytes",
                remedy: "split it, or check that it is the right file")
        }
        do {
            _ = try UTF8Span(validating: source.span)
        } catch {
            throw TOMLError(
                TOMLPosition(of: error.byteOffsets.lowerBound, in: source), "not UTF-8",
                remedy: "save the file as UTF-8")
        }
        var parser = TOMLParser(source, depthLimit: limits.depth)
        root = try parser.parseDocument()
        self.source = source
        var position = TOMLPosition(line: 1, column: 1)
        milestones = stride(from: 0, through: source.count, by: 1024).map { start in
            if start > 0 { position.advance(over: source[(start - 1024)..<start]) }
            return position
        }
    }

    public init(_ text: String, limits: Limits = Limits()) throws(TOMLError) {
        try self.init(Array(text.utf8), limits: limits)
    }

    /// Where a key or a value stands.
    public func position(at offset: Int) -> TOMLPosition {
        let milestone = min(max(0, offset), source.count) / 1024
        var position = milestones[milestone]
        position.advance(over: source[(milestone * 1024)..<max(milestone * 1024, min(offset, source.count))])
        return position
    }
}

/// A place in a file, counted from 1; columns count characters (Unicode scalars), as editors show them.
public struct TOMLPosition: Hashable, Sendable, CustomStringConvertible {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    init(of offset: Int, in source: [UInt8]) {
        self.init(line: 1, column: 1)
        advance(over: source.prefix(offset))
    }

    mutating func advance(over bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
    }

    public var description: String { "\(line):\(column)" }
}

/// Why a text is not TOML 1.0. It names keys, never values.
public struct TOMLError: CodedError, Hashable, CustomStringConvertible {
    public let position: TOMLPosition
    public let problem: String
    public let remedy: String

    init(_ position: TOMLPosition, _ problem: String, remedy: String) {
        self.position = position
        self.problem = problem
        self.remedy = remedy
    }

    public var code: ErrorCode { .settingsMalformed }
    public var message: String { "line \(position.line), column \(position.column): \(problem); \(remedy)" }
    public var description: String { message }
}
