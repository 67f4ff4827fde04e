// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What a read, a write or a step of a handshake came to.
enum IOResult {
    case bytes(Int)
    /// Nothing is there now; try again when the socket can be read, or written.
    case wantsInput
    case wantsOutput
    /// The peer is done sending, and said so.
    case end
    case failed(CloseReason)
}

/// A connected socket, plain or with TLS on it. It closes its descriptor when it goes away.
protocol Channel: AnyObject {
    var descriptor: Int32 { get }
    /// Whether input waits inside, where epoll does not see it.
    var holdsInput: Bool { get }
    /// The most that one write takes.
    var writeSize: Int { get }

    func handshake() -> IOResult
    func read(into buffer: ReadBuffer) -> IOResult
    func write(_ bytes: UnsafeBufferPointer<UInt8>) -> IOResult
    /// Tells the peer that nothing more comes, above the socket.
    func sayEnd()
}

final class PlainChannel: Channel {
    private let socket: Descriptor

    init(_ socket: consuming Descriptor) { self.socket = socket }

    var descriptor: Int32 { socket.number }
    var holdsInput: Bool { false }
    var writeSize: Int { 256 << 10 }

    func handshake() -> IOResult { .bytes(0) }

    func read(into buffer: ReadBuffer) -> IOResult {
        let count = unsafe recv(socket.number, buffer.storage.baseAddress, buffer.capacity, 0)
        if count > 0 { return .bytes(count) }
        return count == 0 ? .end : Self.result(ofError: errno, blocked: .wantsInput)
    }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) -> IOResult {
        let count = unsafe send(socket.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        return count >= 0 ? .bytes(count) : Self.result(ofError: errno, blocked: .wantsOutput)
    }

    func sayEnd() {}

    static func result(ofError number: Int32, blocked: IOResult) -> IOResult {
        switch number {
        case EAGAIN, EINTR: blocked
        case ECONNRESET, EPIPE, ETIMEDOUT, ECONNABORTED: .failed(.cut)
        default: .failed(.system(TransportError.text(of: number)))
        }
    }
}
