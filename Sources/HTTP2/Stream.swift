// SPDX-License-Identifier: Apache-2.0

/// What a protocol above does with one stream. The session calls it while it takes bytes in or gives bytes out; it may
/// send and reset from there.
public protocol StreamHandler: AnyObject {
    /// A client's stream: the head of the response, once for each informational one and once for the last.
    func received(head: HeaderFields)
    /// A piece of the body, borrowed for the call. The peer may send as much again after `Stream.taken(_:)`.
    func received(body: Span<UInt8>)
    func received(trailers: HeaderFields)
    /// The peer has sent all.
    func receivedEnd()
    /// Some of what waited has been sent, and `Stream.hasRoom` is true. It may come when nobody waits for it.
    func writable()
    /// Nothing comes after this. Called exactly once.
    func closed(_ close: StreamClose)
}

/// How a stream ended.
public enum StreamClose: Hashable, Sendable {
    /// Both sides have sent all.
    case finished
    case reset(ResetCode, byPeer: Bool)
    /// The connection ended below the stream.
    case disconnected
}

/// Up to eight bytes ahead of a piece of a body, such as the length of a message.
public struct Prefix: Sendable {
    public static let none = Prefix(0, count: 0)

    /// What is left of them, the first in the highest byte.
    private var number: UInt64
    private(set) var count: Int

    /// The lowest `count` bytes of a number, in big-endian order.
    public init(_ number: UInt64, count: Int) {
        self.count = min(max(0, count), 8)
        // A shift by all 64 bits gives 0.
        self.number = number << UInt64(64 - 8 * self.count)
    }

    package var bytes: [UInt8] { (0..<count).map { UInt8((number << UInt64(8 * $0)) >> 56) } }

    mutating func next() -> UInt8 {
        let byte = UInt8(number >> 56)
        number <<= 8
        count -= 1
        return byte
    }
}

/// One HTTP/2 stream of a `Session`. It is confined to the thread of its session.
///
/// Sending on a stream that has ended does nothing: the end may cross with what is sent, and `closed` tells it.
public final class Stream {
    /// 0 until a client's request has been given out.
    public internal(set) var id: Int32 = 0
    public var handler: (any StreamHandler)? {
        get { storedHandler }
        set { storedHandler = newValue }
    }
    // A stored property that other rooms see is guarded by the runtime at each use.
    private var storedHandler: (any StreamHandler)?

    /// Nil once the stream has ended.
    private(set) var session: Session?
    private var outgoing = OutgoingBody()
    private var waiting = 0
    private var isFinished = false
    private var trailers: HeaderFields?
    var headTaken = false
    /// The peer's head is over `SessionLimits.headerListSize` or `.headerFields`; what is over it was dropped.
    public internal(set) var headIsCut = false
    /// The size of the fields that were dropped.
    var dropped = 0
    var resetByUs: ResetCode?
    var resetByPeer: ResetCode?
    var stopsPeer = false
    private var headSent = false

    init(_ session: Session) {
        self.session = session
    }

    public var isOpen: Bool { session != nil }

    // MARK: Sending

    /// Bytes that wait to be sent.
    public var pending: Int { waiting }
    /// Whether a handler should send more now, rather than wait for `StreamHandler.writable()`.
    public var hasRoom: Bool { session.map { waiting < $0.lowWater } ?? true }
    public static let lowWater = 32 * 1024

    /// A server's response head; `end` when nothing follows.
    public func send(head: HeaderFields, end: Bool = false) {
        guard let session, !headSent else { return }
        headSent = true
        session.submitResponse(head, on: self, end: end)
    }

    /// An informational response (1xx) ahead of the head.
    public func send(informational head: HeaderFields) {
        guard let session, !headSent else { return }
        session.submitInformational(head, on: self)
    }

    /// Sends a piece of the body, behind a few bytes that announce it.
    public func send(_ bytes: [UInt8], behind prefix: Prefix = .none) {
        guard let session, !isFinished else { return }
        outgoing.append(bytes, behind: prefix)
        waiting += prefix.count + bytes.count
        session.pendingBody += prefix.count + bytes.count
        session.resume(self)
    }

    /// Says that all is sent, with trailers where there are any.
    public func finish(trailers: HeaderFields? = nil) {
        guard let session, !isFinished else { return }
        isFinished = true
        self.trailers = trailers
        session.resume(self)
    }

    /// Ends this side without what still waits to be sent: nobody wants it any more.
    public func finishNow() {
        guard let session, waiting > 0 || !isFinished else { return }
        drop(on: session)
        session.resume(self)
    }

    /// A server that has answered before the request was whole tells the peer to stop sending, once its answer is out.
    public func stopAfterSending() {
        stopsPeer = true
    }

    public func reset(_ code: ResetCode) {
        guard let session else { return }
        resetByUs = code
        session.submitReset(self, code)
    }

    private func drop(on session: Session) {
        session.pendingBody -= waiting
        waiting = 0
        outgoing = OutgoingBody()
        isFinished = true
        trailers = nil
    }

    /// What the session gets out of the stream when the peer takes more.
    struct Step {
        var moved: Int
        /// Nothing follows but the trailers.
        var isLast: Bool
        var trailers: HeaderFields?
    }

    func move(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Step {
        let moved = unsafe outgoing.move(into: buffer)
        waiting -= moved
        guard waiting == 0, isFinished else { return Step(moved: moved, isLast: false) }
        return Step(moved: moved, isLast: true, trailers: trailers)
    }

    /// The head was all.
    func finishWithHead() { isFinished = true }

    // MARK: Taking

    /// Opens the stream's window again for `count` bytes of body that are done with.
    public func taken(_ count: Int) {
        session?.taken(count, on: self)
    }

    func close(_ close: StreamClose) {
        guard let session else { return }
        self.session = nil
        drop(on: session)
        let handler = handler
        self.handler = nil
        handler?.closed(close)
    }
}
