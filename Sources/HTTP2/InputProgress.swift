// SPDX-License-Identifier: Apache-2.0

/// Where in its frames a peer is: it finds the head of each frame, and tells a peer that begins a frame or a header block
/// and does not go on from one that is silent.
struct InputProgress {
    struct Head {
        var type: UInt8
        var stream: Int32
    }

    static let headSize = 9

    /// What is left of the client's preface.
    private var preface: Int
    private var headCount = 0
    private var length = 0
    private var head = Head(type: 0, stream: 0)
    private var left = 0
    private var inHeaderBlock = false

    init(expectsPreface: Bool) {
        preface = expectsPreface ? 24 : 0
    }

    /// The peer owes the rest of what it has begun.
    var isInside: Bool { headCount > 0 || left > 0 || inHeaderBlock }

    /// Goes on to behind the next head; nil when all bytes are passed.
    mutating func next(_ bytes: Span<UInt8>, from offset: inout Int) -> Head? {
        let skipped = min(preface, bytes.count - offset)
        preface -= skipped
        offset += skipped
        while offset < bytes.count {
            if left > 0 {
                let count = min(left, bytes.count - offset)
                left -= count
                offset += count
                continue
            }
            take(bytes[offset])
            offset += 1
            guard headCount == Self.headSize else { continue }
            left = length
            headCount = 0
            return head
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) {
        switch headCount {
        case 0: length = Int(byte)
        case 1, 2: length = length << 8 | Int(byte)
        case 3: head.type = byte
        case 4:
            // HEADERS, PUSH_PROMISE and CONTINUATION go on until END_HEADERS.
            if head.type == 1 || head.type == 5 || head.type == 9 { inHeaderBlock = byte & 4 == 0 }
        case 5: head.stream = Int32(byte & 0x7f)
        default: head.stream = head.stream << 8 | Int32(byte)
        }
        headCount += 1
    }
}
