// SPDX-License-Identifier: Apache-2.0

internal import CNGHTTP2
internal import Diagnostics

/// One end of an HTTP/2 connection: bytes in, calls to handlers, bytes out. It is confined to one thread.
///
/// ```text
/// receive(bytes) ─> accept(stream, head) ─> StreamHandler.received…     (server)
/// request(head)  ─> Stream               ─> StreamHandler.received…     (client)
/// nextOutput { bytes } until it returns false
/// ```
///
/// Whoever owns the session calls `disconnected()` when the connection ends, so that every stream hears of it.
@safe public final class Session {
    public enum Role: Sendable {
        case client
        case server
    }

    public let role: Role
    /// Server: gives each new stream its handler. Without one the stream is refused.
    public var accept: (Stream, HeaderFields) -> (any StreamHandler)? = { _, _ in nil }
    /// The peer sends GOAWAY: streams after `last` were not looked at.
    public var goingAway: (_ last: Int32, ResetCode) -> Void = { _, _ in }
    /// The answer to `ping(_:)`.
    public var ponged: (UInt64) -> Void = { _ in }
    /// The peer's first SETTINGS have come.
    public var ready: () -> Void = {}
    /// There is something for `nextOutput`, which had nothing more when it was last called.
    public var outputWanted: () -> Void = {}
    /// `outputWanted` was called, and `nextOutput` has not come to its end since.
    public var awaitsOutput: Bool { isAwaitingOutput }
    private var isAwaitingOutput = true

    let limits: SessionLimits
    private var session: OpaquePointer?
    private(set) var streams: [Int32: Stream] = [:]
    /// The head or the trailers being received: the frames of one header block come in a row.
    var incoming = HeaderFields()
    /// The peer's SETTINGS have come.
    public var isReady: Bool { hasSettings }
    var hasSettings = false
    private(set) var failure: HTTP2Error?
    private(set) var hasFailed = false
    /// CONTINUATION frames in a row.
    private var continuations = 0
    /// The GOAWAY that follows a failure, after which nghttp2's own state must not be used.
    private var farewell: [UInt8]?
    private var farewellCode = ResetCode.protocolError
    let history = StreamHistory()
    private var progress: InputProgress
    /// A reset has begun whose end nghttp2 may not have seen yet.
    private var sawReset = false
    /// Bytes of bodies that wait to be sent, and that have been.
    var pendingBody = 0
    var sentBody: UInt64 = 0
    var now: UInt64 = 0
    var resets: TokenBucket
    var faults: TokenBucket
    var controlFrames: TokenBucket
    var windowUpdates: TokenBucket

    /// Starts a session; what it says first is ready for `nextOutput`.
    public init(_ role: Role, limits: SessionLimits = SessionLimits(), at now: UInt64 = 0) throws(HTTP2Error)
    {
        self.role = role
        self.limits = limits
        self.now = now
        progress = InputProgress(expectsPreface: role == .server)
        resets = TokenBucket(limits.resets, at: now)
        faults = TokenBucket(limits.faults, at: now)
        controlFrames = TokenBucket(limits.controlFrames, at: now)
        windowUpdates = TokenBucket(limits.windowUpdates, at: now)
        unsafe session = try Callbacks.makeSession(of: self)
        try submitSettings()
    }

    deinit {
        unsafe nghttp2_session_del(session)
    }

    public var openStreams: Int { streams.count }
    /// The peer has begun a frame or a header block and owes the rest.
    public var isInsideFrame: Bool { progress.isInside }
    /// A limit was broken: what is left to do is to flush `nextOutput` and to close.
    public var failed: Bool { hasFailed }

    // MARK: Bytes

    /// Takes what the peer sent. An error means that the connection is over once `nextOutput` has nothing more.
    public func receive(_ bytes: Span<UInt8>, at now: UInt64) throws(HTTP2Error) {
        if let failure { throw failure }
        self.now = now
        var start = 0
        var offset = 0
        var progress = progress
        defer { self.progress = progress }
        while !hasFailed, let head = progress.next(bytes, from: &offset) {
            countContinuation(head)
            switch nghttp2_frame_type(UInt32(head.type)) {
            case NGHTTP2_DATA where sawReset || streams[head.stream] == nil:
                // nghttp2 passes over these in silence. What came before decides whether the stream is open.
                let end = max(start, offset - InputProgress.headSize)
                feed(bytes.extracting(start..<end))
                start = end
                check(head.stream, opens: false)
            case NGHTTP2_RST_STREAM: sawReset = true
            case _ where head.type > UInt8(NGHTTP2_CONTINUATION.rawValue): countControlFrame()
            default: break
            }
        }
        feed(bytes.extracting(start..<bytes.count))
        sawReset = sawReset && progress.isInside
        if let failure {
            if farewell == nil { farewell = goAwayFrame(farewellCode) }
            throw failure
        }
    }

    private func countContinuation(_ head: InputProgress.Head) {
        continuations = head.type == UInt8(NGHTTP2_CONTINUATION.rawValue) ? continuations + 1 : 0
        if continuations > limits.continuations { fail(.flood("continuations")) }
    }

    private func feed(_ bytes: Span<UInt8>) {
        guard !hasFailed, !bytes.isEmpty else { return }
        let taken = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
        }
        guard taken < 0 else { return }
        switch nghttp2_error(Int32(truncatingIfNeeded: taken)) {
        case NGHTTP2_ERR_FLOODED: fail(.flood("frames"))
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: fail(.flood("continuations"))
        case let error: fail(.library(error.rawValue), .protocolError)
        }
    }

    /// Lends the next bytes for the peer, at most a frame and its head; false when there are none for now.
    public func nextOutput(_ body: (Span<UInt8>) throws -> Void) throws -> Bool {
        if let farewell {
            self.farewell = []
            guard !farewell.isEmpty else { return false }
            try body(farewell.span)
            return true
        }
        var start: UnsafePointer<UInt8>?
        let count = unsafe nghttp2_session_mem_send(session, &start)
        guard count >= 0 else { throw HTTP2Error.library(Int32(truncatingIfNeeded: count)) }
        guard count > 0, let start = unsafe start else {
            isAwaitingOutput = false
            return false
        }
        try body(unsafe Span(_unsafeStart: start, count: count))
        return true
    }

    public var wantsOutput: Bool {
        farewell.map { !$0.isEmpty } ?? (unsafe nghttp2_session_want_write(session) != 0)
    }

    /// Nothing more will be said or heard: GOAWAY is out and all streams have ended.
    public var isFinished: Bool {
        if hasFailed { return !wantsOutput }
        return unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    /// The connection below has ended.
    public func disconnected() {
        let open = streams.values
        streams = [:]
        for stream in open { stream.close(.disconnected) }
    }

    // MARK: Requests

    /// Client: opens a stream, or waits with it until the peer allows one more. `end` when the head is all.
    public func request(_ head: HeaderFields, handler: any StreamHandler, end: Bool = false)
        throws(HTTP2Error) -> Stream
    {
        let stream = Stream(self)
        stream.handler = handler
        let id = unsafe withFields(head) { fields, count in
            let context = unsafe Unmanaged.passUnretained(stream).toOpaque()
            return unsafe Callbacks.withBody(!end) { body in
                unsafe nghttp2_submit_request(session, nil, fields, count, body, context)
            }
        }
        guard id > 0 else { throw .library(id) }
        stream.id = id
        if end { stream.finishWithHead() }
        streams[id] = stream
        wantOutput()
        return stream
    }

    /// How many streams more the peer takes at once.
    public var freeStreams: Int {
        guard unsafe nghttp2_session_check_request_allowed(session) != 0 else { return 0 }
        let allowed = unsafe nghttp2_session_get_remote_settings(
            session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return max(0, Int(allowed) - streams.count)
    }

    // MARK: Connection

    public func ping(_ payload: UInt64) {
        var bytes = payload.bigEndian
        unsafe withUnsafeBytes(of: &bytes) { buffer in
            _ = unsafe nghttp2_submit_ping(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue),
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        wantOutput()
    }

    /// First half of a graceful end: the peer is told to open no more streams; those under way still come in.
    public func announceEnd() {
        unsafe nghttp2_submit_shutdown_notice(session)
        wantOutput()
    }

    /// Says GOAWAY with the last stream that was taken; the streams up to there run on.
    public func goAway(_ code: ResetCode = .noError) {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        unsafe nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0)
        wantOutput()
    }

    /// Says GOAWAY and ends all streams.
    public func terminate(_ code: ResetCode) {
        unsafe nghttp2_session_terminate_session(session, code.rawValue)
        wantOutput()
    }

    // MARK: For streams and callbacks

    /// Each stream's share of what may wait to be sent.
    var lowWater: Int { min(Stream.lowWater, max(1024, limits.waitingBodies / max(1, streams.count))) }

    func wantOutput() {
        guard !isAwaitingOutput else { return }
        isAwaitingOutput = true
        outputWanted()
    }

    func fail(_ error: HTTP2Error, _ code: ResetCode = .enhanceYourCalm) {
        guard !hasFailed else { return }
        hasFailed = true
        failure = error
        farewellCode = code
    }

    /// HEADERS and DATA have no place on a stream that the peer has ended.
    func check(_ id: Int32, opens: Bool) {
        guard streams[id] == nil, unsafe nghttp2_session_want_read(session) != 0 else { return }
        switch history.judge(id) {
        case .fine: if opens, role == .server { history.open(id) }
        case .closed: fail(.closedStream, .streamClosed)
        case .leftOut: fail(.streamOutOfOrder, .protocolError)
        }
    }

    func hasRoom(forField size: Int) -> Bool {
        incoming.count < limits.headerFields && incoming.listSize + size <= limits.headerListSize
    }

    func takeIncoming() -> HeaderFields {
        let fields = incoming
        incoming = HeaderFields()
        return fields
    }

    func append(name: Span<UInt8>, value: Span<UInt8>) {
        // Taken out and put back: a change in place would be an access that the runtime has to guard.
        var fields = takeIncoming()
        fields.append(name: name, value: value)
        incoming = fields
    }

    /// A field of a head that is over the limit. What goes on far beyond it is no mistake.
    func cut(_ stream: Stream, dropping size: Int) {
        if !stream.headIsCut, !faults.take(10, at: now) { fail(.flood("heads over the limit")) }
        stream.headIsCut = true
        stream.dropped += size
        if stream.dropped > 16 * limits.headerListSize { fail(.flood("header fields")) }
    }

    func countControlFrame() {
        if !controlFrames.take(at: now) { fail(.flood("control frames")) }
    }

    func countEmptyFrame() {
        if !controlFrames.take(at: now) { fail(.flood("frames without content")) }
    }

    func opened(_ id: Int32) -> Stream {
        let stream = Stream(self)
        stream.id = id
        streams[id] = stream
        unsafe nghttp2_session_set_stream_user_data(session, id, Unmanaged.passUnretained(stream).toOpaque())
        return stream
    }

    func closed(_ id: Int32, code: ResetCode) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if stream.resetByPeer != nil || code == .noError && stream.resetByUs == nil && !stream.stopsPeer {
            history.end(id)
        }
        if let reset = stream.resetByPeer {
            stream.close(.reset(reset, byPeer: true))
        } else if code == .noError, stream.resetByUs == nil {
            stream.close(.finished)
        } else {
            stream.close(.reset(stream.resetByUs ?? code, byPeer: false))
        }
    }

    func submitResponse(_ head: HeaderFields, on stream: Stream, end: Bool) {
        if end { stream.finishWithHead() }
        let result = unsafe withFields(head) { fields, count in
            unsafe Callbacks.withBody(!end) { body in
                unsafe nghttp2_submit_response(session, stream.id, fields, count, body)
            }
        }
        if result != 0 { submitReset(stream, .internalError) }
        wantOutput()
    }

    func submitInformational(_ head: HeaderFields, on stream: Stream) {
        _ = unsafe withFields(head) { fields, count in
            unsafe nghttp2_submit_headers(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, fields, count, nil)
        }
        wantOutput()
    }

    func submitTrailers(_ trailers: HeaderFields, on stream: Stream) {
        _ = unsafe withFields(trailers) { fields, count in
            unsafe nghttp2_submit_trailer(session, stream.id, fields, count)
        }
    }

    func submitReset(_ stream: Stream, _ code: ResetCode) {
        unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
        wantOutput()
    }

    func resume(_ stream: Stream) {
        unsafe nghttp2_session_resume_data(session, stream.id)
        wantOutput()
    }

    func taken(_ count: Int, on stream: Stream) {
        unsafe nghttp2_session_consume_stream(session, stream.id, count)
        // The window is told of when half of it is used up.
        if wantsOutput { wantOutput() }
    }

    /// The connection's window opens as bytes come in: a stream that is not taken holds up itself alone.
    func passed(_ count: Int) {
        unsafe nghttp2_session_consume_connection(session, count)
    }

    private func goAwayFrame(_ code: ResetCode) -> [UInt8] {
        let last = UInt32(bitPattern: unsafe nghttp2_session_get_last_proc_stream_id(session))
        let numbers = [last, code.rawValue].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
        }
        return [0, 0, 8, UInt8(NGHTTP2_GOAWAY.rawValue), 0, 0, 0, 0, 0] + numbers
    }

    private func submitSettings() throws(HTTP2Error) {
        let values: [(nghttp2_settings_id, Int)] = [
            (NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
            (NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits.headerTableSize),
            (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreams),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindow),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.frameSize),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListSize),
        ]
        let told = role == .client ? values[...] : values.dropFirst()
        let entries = told.map {
            nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: UInt32(clamping: $0.1))
        }
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let result = unsafe nghttp2_submit_settings(session, flags, entries, entries.count)
        guard result == 0 else { throw .library(result) }
        let window = Int32(clamping: limits.connectionWindow)
        let grown = unsafe nghttp2_session_set_local_window_size(session, flags, 0, window)
        guard grown == 0 else { throw .library(grown) }
    }
}
