// SPDX-License-Identifier: Apache-2.0

/// The streams of a peer that are over, as far as a frame on them has to be an error (RFC 9113 section 5.1). nghttp2
/// forgets them and would let such frames pass, as one must for a stream that this side has reset: the peer's frames
/// may have crossed with the reset.
final class StreamHistory {
    enum Verdict {
        case fine
        /// The peer itself had ended this stream.
        case closed
        /// A number that the peer had left out before.
        case leftOut
    }

    private var highest: Int32 = -1
    private var leftOut: [ClosedRange<Int32>] = []
    private var ended: [Int32] = []
    private var oldest = 0
    private static let most = 64

    /// A peer's stream was ended by the peer, or reset by it.
    func end(_ id: Int32) {
        if ended.count < Self.most {
            ended.append(id)
        } else {
            ended[oldest] = id
            oldest = (oldest + 1) % Self.most
        }
    }

    /// HEADERS or DATA on a stream that is not open.
    func judge(_ id: Int32) -> Verdict {
        if id > highest { return .fine }
        if ended.contains(id) { return .closed }
        return leftOut.contains { $0.contains(id) } ? .leftOut : .fine
    }

    /// HEADERS that open a stream of the client.
    func open(_ id: Int32) {
        guard id > highest else { return }
        if id > highest + 2 {
            if leftOut.count == Self.most { leftOut.removeFirst() }
            leftOut.append(highest + 1...id - 1)
        }
        highest = id
    }
}
