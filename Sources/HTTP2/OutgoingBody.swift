// SPDX-License-Identifier: Apache-2.0

/// The part of a body that waits for the peer's window, in the pieces in which it came.
struct OutgoingBody {
    private var pieces: [[UInt8]] = []
    /// The first piece that is not sent whole, and how much of it is.
    private var first = 0
    private var offset = 0
    private(set) var count = 0
    private(set) var isFinished = false
    private(set) var trailers: HeaderFields?

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        pieces.append(bytes)
        count += bytes.count
    }

    mutating func finish(trailers: HeaderFields?) {
        isFinished = true
        self.trailers = trailers
    }

    mutating func drop() {
        self = OutgoingBody()
        isFinished = true
    }

    /// Moves up to the buffer's size of bytes out.
    mutating func move(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var moved = 0
        while moved < buffer.count, first < pieces.count {
            let length = min(buffer.count - moved, pieces[first].count - offset)
            unsafe pieces[first].withUnsafeBufferPointer { piece in
                let part = unsafe UnsafeBufferPointer(rebasing: piece[offset..<offset + length])
                _ = unsafe UnsafeMutableBufferPointer(rebasing: buffer[moved..<moved + length]).update(
                    fromContentsOf: part)
            }
            moved += length
            offset += length
            if offset == pieces[first].count {
                pieces[first] = []
                first += 1
                offset = 0
            }
        }
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 64 {
            pieces.removeFirst(first)
            first = 0
        }
        count -= moved
        return moved
    }
}
