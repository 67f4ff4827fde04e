// SPDX-License-Identifier: Apache-2.0

package import HTTP2

/// Takes length-prefixed messages out of a stream of bytes.
///
/// ```text
/// message = flag (1 byte: 0 plain, 1 compressed) length (4 bytes, big endian) payload
/// ```
///
/// A length over the limit is refused when it is read, before any byte of the payload is waited for. Compressed
/// messages are refused, since nothing but identity encoding is offered.
public struct MessageDecoder: Sendable {
    private let limit: Int
    /// The prefix as far as it has come: its bytes as one number.
    private var head: UInt64 = 0
    private var headCount = 0
    private var payload: [UInt8] = []
    private var missing = 0

    public init(limit: Int) { self.limit = limit }

    /// A message has begun and is not whole.
    public var isInMessage: Bool { headCount > 0 }

    /// Bytes of the message that is not whole.
    var buffered: Int { payload.count }

    /// Forgets the message that is not whole.
    mutating func drop() { payload = [] }

    /// The next whole message in `bytes` from `offset` on, which it moves; nil when more bytes are needed.
    public mutating func next(_ bytes: Span<UInt8>, from offset: inout Int) throws(CallStatus) -> [UInt8]? {
        while headCount < 5 {
            guard offset < bytes.count else { return nil }
            head = head << 8 | UInt64(bytes[offset])
            headCount += 1
            offset += 1
            if headCount == 5 { try begin() }
        }
        let count = min(missing, bytes.count - offset)
        if count > 0 {
            append(bytes.extracting(offset..<offset + count))
            offset += count
            missing -= count
        }
        guard missing == 0 else { return nil }
        (head, headCount) = (0, 0)
        defer { payload = [] }
        return payload
    }

    private mutating func begin() throws(CallStatus) {
        let length = Int(head & 0xffff_ffff)
        switch head >> 32 {
        case 0: break
        case 1: throw CallStatus(.internal, "a compressed message without an agreed encoding")
        default: throw CallStatus(.internal, "malformed message prefix")
        }
        guard length <= limit else {
            throw CallStatus(.resourceExhausted, "a message of \(length) bytes is over the limit of \(limit)")
        }
        missing = length
        // What was announced is not believed until it comes.
        payload.reserveCapacity(min(length, 64 * 1024))
    }

    private mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe payload.append(contentsOf: $0) }
    }

    /// What stands ahead of a message.
    package static func prefix(of message: [UInt8]) -> Prefix {
        Prefix(UInt64(UInt32(truncatingIfNeeded: message.count)), count: 5)
    }
}
