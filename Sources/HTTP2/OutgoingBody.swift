// SPDX-License-Identifier: Apache-2.0

/// The part of a body that waits to be sent, in the pieces in which it came.
struct OutgoingBody {
    private struct Piece {
        var prefix = Prefix.none
        var bytes: [UInt8] = []
        /// How much of the bytes is sent.
        var offset = 0

        var isSent: Bool { prefix.count == 0 && offset == bytes.count }
    }

    /// The piece that is being sent; most bodies have no other, and need no list.
    private var current = Piece()
    private var later: [Piece] = []
    /// The first of `later` that is not sent.
    private var first = 0

    mutating func append(_ bytes: [UInt8], behind prefix: Prefix = .none) {
        let piece = Piece(prefix: prefix, bytes: bytes)
        guard !piece.isSent else { return }
        if current.isSent { current = piece } else { later.append(piece) }
    }

    /// Moves up to the buffer's size of bytes out.
    mutating func move(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var moved = 0
        while moved < buffer.count, !current.isSent {
            while moved < buffer.count, current.prefix.count > 0 {
                unsafe buffer[moved] = current.prefix.next()
                moved += 1
            }
            let length = min(buffer.count - moved, current.bytes.count - current.offset)
            unsafe current.bytes.withUnsafeBufferPointer { bytes in
                let part = unsafe UnsafeBufferPointer(
                    rebasing: bytes[current.offset..<current.offset + length])
                _ = unsafe UnsafeMutableBufferPointer(rebasing: buffer[moved..<moved + length]).update(
                    fromContentsOf: part)
            }
            moved += length
            current.offset += length
            if current.isSent { advance() }
        }
        return moved
    }

    private mutating func advance() {
        guard first < later.count else {
            current = Piece()
            return
        }
        swap(&current, &later[first])
        later[first] = Piece()
        first += 1
        if first == later.count {
            later.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 64 {
            later.removeFirst(first)
            first = 0
        }
    }
}
