// SPDX-License-Identifier: Apache-2.0

public import HTTP2

/// Reads HTTP/1.1 messages as their bytes come in. Bodies are not copied: an event names where in the bytes just given
/// a piece of the body stands.
///
/// ```swift
/// var parser = MessageParser(.requests)
/// var offset = 0
/// while let event = try parser.next(bytes.span, from: &offset) { ... }
/// ```
///
/// After an error the connection cannot be read on. After `.end` the next message may begin.
public struct MessageParser: Sendable {
    public enum Sort: Sendable {
        case requests
        case responses
    }

    public enum Event: Sendable, Equatable {
        case head(MessageHead)
        /// A piece of the body, as a range of the bytes that were given.
        case body(Range<Int>)
        /// All of the message is read. Trailers come with a chunked body alone.
        case end(trailers: HeaderFields?)
    }

    private enum State: Sendable {
        case head
        /// So many bytes of the body are still to come.
        case length(UInt64)
        case untilClose
        case chunkSize
        case chunk(UInt64)
        /// CR and LF behind a chunk, of which so many have been read.
        case chunkEnd(Int)
        case trailers
        /// All is read, and `.end` is still to be told.
        case ended
    }

    private let sort: Sort
    private let limits: MessageLimits
    private var state = State.head
    /// A head, a chunk's first line or trailers whose end has not come.
    private var pending: [UInt8] = []
    /// The method of the request that the next response answers.
    public var answeredMethod = "GET"

    public init(_ sort: Sort, limits: MessageLimits = MessageLimits()) {
        self.sort = sort
        self.limits = limits
    }

    /// Nothing of a message has been read.
    public var isBetweenMessages: Bool {
        if case .head = state { return pending.isEmpty }
        return false
    }

    /// The next event in `bytes` from `offset` on, which it moves; nil when more bytes are needed.
    public mutating func next(_ bytes: Span<UInt8>, from offset: inout Int) throws(MessageError) -> Event? {
        while true {
            switch state {
            case .head:
                guard
                    try gather(bytes, from: &offset, within: limits.head, isComplete: Self.endsWithEmptyLine)
                else {
                    return nil
                }
                return .head(try takeHead())
            case .length(let left):
                guard let range = take(left, of: bytes, from: &offset) else { return nil }
                let rest = left - UInt64(range.count)
                state = rest == 0 ? .ended : .length(rest)
                return .body(range)
            case .untilClose:
                guard offset < bytes.count else { return nil }
                defer { offset = bytes.count }
                return .body(offset..<bytes.count)
            case .chunkSize:
                guard
                    try gather(
                        bytes, from: &offset, within: limits.chunkExtension + 18,
                        isComplete: Self.endsWithLine)
                else { return nil }
                try takeChunkSize()
            case .chunk(let left):
                guard let range = take(left, of: bytes, from: &offset) else { return nil }
                let rest = left - UInt64(range.count)
                state = rest == 0 ? .chunkEnd(0) : .chunk(rest)
                return .body(range)
            case .chunkEnd(let read):
                guard offset < bytes.count else { return nil }
                guard bytes[offset] == (read == 0 ? 0x0d : 0x0a) else {
                    throw MessageError("malformed chunk")
                }
                offset += 1
                state = read == 0 ? .chunkEnd(1) : .chunkSize
            case .trailers:
                guard
                    try gather(bytes, from: &offset, within: limits.head, isComplete: Self.endsWithEmptyLine)
                else {
                    return nil
                }
                return .end(trailers: try takeTrailers())
            case .ended:
                state = .head
                return .end(trailers: nil)
            }
        }
    }

    /// The connection has ended. True when that ends a message too; false between messages.
    public mutating func closed() throws(MessageError) -> Bool {
        switch state {
        case .untilClose:
            state = .head
            return true
        case .head where pending.isEmpty: return false
        default: throw MessageError("the connection ended in the middle of a message")
        }
    }

    // MARK: Pieces

    private func take(_ left: UInt64, of bytes: Span<UInt8>, from offset: inout Int) -> Range<Int>? {
        guard offset < bytes.count else { return nil }
        let count = Int(min(left, UInt64(bytes.count - offset)))
        defer { offset += count }
        return offset..<offset + count
    }

    /// Moves bytes to `pending` up to where it is complete.
    private mutating func gather(
        _ bytes: Span<UInt8>, from offset: inout Int, within limit: Int, isComplete: ([UInt8]) -> Bool
    ) throws(MessageError) -> Bool {
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if pending.last == 0x0d, byte != 0x0a { throw MessageError("bare CR") }
            if byte == 0x0a, pending.last != 0x0d { throw MessageError("bare LF") }
            pending.append(byte)
            if byte == 0x0a, isComplete(pending) { return true }
            guard pending.count < limit else { throw tooLong() }
        }
        return false
    }

    private func tooLong() -> MessageError {
        guard case .head = state else { return MessageError("chunk or trailers too long") }
        let first = pending.firstIndex(of: 0x0a) ?? pending.count
        return first > limits.startLine
            ? MessageError("request line too long", .uriTooLong)
            : MessageError("head too large", .headerFieldsTooLarge)
    }

    private static func endsWithLine(_ bytes: [UInt8]) -> Bool { true }

    private static func endsWithEmptyLine(_ bytes: [UInt8]) -> Bool {
        bytes.count == 2 || bytes.count >= 4 && bytes[bytes.count - 3] == 0x0a
    }

    private mutating func takeHead() throws(MessageError) -> MessageHead {
        defer { pending.removeAll(keepingCapacity: true) }
        let lineEnd = pending.firstIndex(of: 0x0d) ?? 0
        guard lineEnd > 0 else { throw MessageError("an empty line before the message") }
        guard lineEnd <= limits.startLine else { throw MessageError("request line too long", .uriTooLong) }
        let head =
            switch sort {
            case .requests: try MessageHead.request(pending[...], limits: limits)
            case .responses: try MessageHead.response(pending[...], to: answeredMethod, limits: limits)
            }
        switch head.framing {
        case .none: state = .ended
        case .length(let length): state = .length(length)
        case .chunked: state = .chunkSize
        case .untilClose: state = .untilClose
        }
        return head
    }

    /// chunk = 1*HEXDIG [ ";" extension ] CRLF; the size without needless digits beyond 16.
    private mutating func takeChunkSize() throws(MessageError) {
        defer { pending.removeAll(keepingCapacity: true) }
        let line = pending.dropLast(2)
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        guard !digits.isEmpty, digits.count <= 16 else { throw MessageError("malformed chunk size") }
        var size: UInt64 = 0
        for digit in digits {
            guard let value = digit.hexValue else { throw MessageError("malformed chunk size") }
            size = size << 4 | value
        }
        guard line.dropFirst(digits.count).allSatisfy(\.isFieldByte) else {
            throw MessageError("malformed chunk extension")
        }
        guard size <= UInt64(Int64.max) else { throw MessageError("chunk too large", .contentTooLarge) }
        state = size == 0 ? .trailers : .chunk(size)
    }

    private mutating func takeTrailers() throws(MessageError) -> HeaderFields {
        defer { pending.removeAll(keepingCapacity: true) }
        var lines = Lines(pending[...])
        let trailers = try lines.fields(limits)
        for name in ["content-length", "transfer-encoding", "host", "trailer"] where trailers.contains(name) {
            throw MessageError("\(name) among the trailers")
        }
        state = .head
        return trailers
    }
}
