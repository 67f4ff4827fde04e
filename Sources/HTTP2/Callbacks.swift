// SPDX-License-Identifier: Apache-2.0

internal import CNGHTTP2

func libraryText(_ number: Int32) -> String {
    unsafe String(cString: nghttp2_strerror(number))
}

/// Lends header fields to nghttp2, which copies them.
func withFields<Result>(
    _ fields: HeaderFields, _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
) -> Result {
    unsafe fields.buffer.withUnsafeBufferPointer { buffer in
        // nghttp2 reads only, whatever its types say.
        let base = unsafe UnsafeMutablePointer(mutating: buffer.baseAddress)
        return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { pairs in
            var index = 0
            fields.forEachPlace { place in
                unsafe pairs.initializeElement(
                    at: index,
                    to: nghttp2_nv(
                        name: base?.advanced(by: place.name), value: base?.advanced(by: place.value),
                        namelen: place.value - place.name, valuelen: place.end - place.value,
                        flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                index += 1
            }
            return unsafe body(pairs.baseAddress, fields.count)
        }
    }
}

/// The functions that nghttp2 calls. Each finds the session or the stream and does one thing.
enum Callbacks {
    static func makeSession(of owner: Session) throws(HTTP2Error) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, unsafe nghttp2_option_new(&option) == 0
        else {
            throw .library(NGHTTP2_ERR_NOMEM.rawValue)
        }
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(option)
        }
        let limits = owner.limits
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_peer_max_concurrent_streams(option, 100)
        unsafe nghttp2_option_set_max_outbound_ack(option, limits.outboundAcknowledgements)
        unsafe nghttp2_option_set_max_settings(option, limits.settingsEntries)
        // nghttp2 counts a frame again for each piece in which its head comes; the session counts frames.
        unsafe nghttp2_option_set_max_continuations(
            option, limits.continuations * (InputProgress.headSize + 1))
        // nghttp2 would count resets by the wall; `beginFrame` counts them by the caller's clock.
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, 1 << 32, 1 << 32)

        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beginHeaders)
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, header)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameReceived)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataReceived)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalidFrame)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameSent)
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, beginFrame)

        var session: OpaquePointer?
        let context = unsafe Unmanaged.passUnretained(owner).toOpaque()
        let result =
            owner.role == .server
            ? unsafe nghttp2_session_server_new2(&session, callbacks, context, option)
            : unsafe nghttp2_session_client_new2(&session, callbacks, context, option)
        guard result == 0 else { throw .library(result) }
        return unsafe session
    }

    /// Lends the source that reads a stream's `OutgoingBody`, or nil for a message without a body.
    static func withBody(_ hasBody: Bool, _ body: (UnsafePointer<nghttp2_data_provider>?) -> Int32) -> Int32 {
        guard hasBody else { return body(nil) }
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = readBody
        return unsafe body(&provider)
    }
}

private func owner(_ context: UnsafeMutableRawPointer?) -> Session? {
    unsafe context.map { unsafe Unmanaged<Session>.fromOpaque($0).takeUnretainedValue() }
}

private func stream(_ session: OpaquePointer?, _ id: Int32) -> Stream? {
    unsafe nghttp2_session_get_stream_user_data(session, id).map {
        unsafe Unmanaged<Stream>.fromOpaque($0).takeUnretainedValue()
    }
}

private let beginHeaders: nghttp2_on_begin_headers_callback = { session, frame, context in
    guard let owner = unsafe owner(context), let frame = unsafe frame else { return 0 }
    owner.incoming = HeaderFields()
    if unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
        _ = owner.opened(unsafe frame.pointee.hd.stream_id)
    }
    return 0
}

private let header: nghttp2_on_header_callback = {
    session, frame, name, nameCount, value, valueCount, _, context in
    guard let owner = unsafe owner(context), let frame = unsafe frame, let name = unsafe name,
        let value = unsafe value
    else { return 0 }
    let size = nameCount + valueCount + 32
    if owner.hasRoom(forField: size) {
        unsafe owner.append(
            name: Span(_unsafeStart: name, count: nameCount),
            value: Span(_unsafeStart: value, count: valueCount))
    } else if let stream = unsafe stream(session, frame.pointee.hd.stream_id) {
        owner.cut(stream, dropping: size)
    }
    return owner.hasFailed ? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue : 0
}

/// Counts the frames that cost the peer little and this side work.
private let beginFrame: nghttp2_on_begin_frame_callback = { _, head, context in
    guard let owner = unsafe owner(context), let head = unsafe head?.pointee else { return 0 }
    switch nghttp2_frame_type(UInt32(head.type)) {
    case NGHTTP2_HEADERS:
        owner.check(head.stream_id, opens: true)
        if head.length == 0 { owner.countEmptyFrame() }
    case NGHTTP2_CONTINUATION where head.length == 0: owner.countEmptyFrame()
    case NGHTTP2_CONTINUATION: break
    case NGHTTP2_RST_STREAM where owner.role == .server:
        // A client decides itself how many of its requests can be reset.
        if !owner.resets.take(at: owner.now) { owner.fail(.flood("resets")) }
    case NGHTTP2_WINDOW_UPDATE:
        if !owner.windowUpdates.take(at: owner.now) { owner.fail(.flood("window updates")) }
    case NGHTTP2_PING, NGHTTP2_SETTINGS, NGHTTP2_PRIORITY, NGHTTP2_GOAWAY: owner.countControlFrame()
    default: break
    }
    return owner.hasFailed ? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue : 0
}

private let frameReceived: nghttp2_on_frame_recv_callback = { session, frame, context in
    guard let owner = unsafe owner(context), let frame = unsafe frame else { return 0 }
    let head = unsafe frame.pointee.hd
    let ends = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch nghttp2_frame_type(UInt32(head.type)) {
    case NGHTTP2_HEADERS:
        guard let stream = unsafe stream(session, head.stream_id) else { return 0 }
        let fields = owner.takeIncoming()
        switch unsafe frame.pointee.headers.cat {
        case NGHTTP2_HCAT_REQUEST:
            stream.headTaken = true
            stream.handler = owner.accept(stream, fields)
            if stream.handler == nil { stream.reset(.refusedStream) }
        case NGHTTP2_HCAT_RESPONSE, NGHTTP2_HCAT_HEADERS:
            if stream.headTaken {
                stream.handler?.received(trailers: fields)
            } else {
                // nghttp2 lets informational heads pass before the last one.
                stream.headTaken = fields[":status"]?.first != "1"
                stream.handler?.received(head: fields)
            }
        default: break
        }
        if ends { stream.handler?.receivedEnd() }
    case NGHTTP2_DATA:
        if ends {
            unsafe stream(session, head.stream_id)?.handler?.receivedEnd()
        } else if unsafe head.length == frame.pointee.data.padlen {
            owner.countEmptyFrame()
        }
    case NGHTTP2_RST_STREAM:
        let code = ResetCode(rawValue: unsafe frame.pointee.rst_stream.error_code)
        unsafe stream(session, head.stream_id)?.resetByPeer = code
    case NGHTTP2_GOAWAY:
        let away = unsafe frame.pointee.goaway
        owner.goingAway(unsafe away.last_stream_id, ResetCode(rawValue: unsafe away.error_code))
    case NGHTTP2_PING where head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
        let bytes = unsafe frame.pointee.ping.opaque_data
        owner.ponged(
            [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5, bytes.6, bytes.7].reduce(0) {
                $0 << 8 | UInt64($1)
            })
    case NGHTTP2_SETTINGS where !owner.hasSettings && head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0:
        owner.hasSettings = true
        owner.ready()
    default: break
    }
    return owner.hasFailed ? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue : 0
}

private let dataReceived: nghttp2_on_data_chunk_recv_callback = { session, _, id, data, count, context in
    guard let owner = unsafe owner(context), let data = unsafe data else { return 0 }
    owner.passed(count)
    if let stream = unsafe stream(session, id), let handler = stream.handler {
        handler.received(body: unsafe Span(_unsafeStart: data, count: count))
    } else {
        unsafe nghttp2_session_consume_stream(session, id, count)
    }
    return 0
}

private let streamClosed: nghttp2_on_stream_close_callback = { _, id, code, context in
    unsafe owner(context)?.closed(id, code: ResetCode(rawValue: code))
    return 0
}

private let invalidFrame: nghttp2_on_invalid_frame_recv_callback = { _, _, _, context in
    guard let owner = unsafe owner(context) else { return 0 }
    if !owner.faults.take(at: owner.now) { owner.fail(.flood("invalid frames")) }
    return owner.hasFailed ? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue : 0
}

/// A reset that no handler asked for was provoked by the peer.
private let frameSent: nghttp2_on_frame_send_callback = { session, frame, context in
    guard let owner = unsafe owner(context), let head = unsafe frame?.pointee.hd else { return 0 }
    if head.type == UInt8(NGHTTP2_RST_STREAM.rawValue) {
        let stream = unsafe stream(session, head.stream_id)
        let asked = stream?.resetByUs != nil || stream?.stopsPeer == true
        if !asked, !owner.faults.take(at: owner.now) { owner.fail(.flood("frames that break a stream")) }
    } else if head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
        let stream = unsafe stream(session, head.stream_id), stream.stopsPeer,
        unsafe nghttp2_session_get_stream_remote_close(session, head.stream_id) == 0
    {
        owner.submitReset(stream, .noError)
    }
    return 0
}

private let readBody: nghttp2_data_source_read_callback = { session, id, buffer, room, flags, _, context in
    guard let stream = unsafe stream(session, id), let buffer = unsafe buffer, let flags = unsafe flags else {
        return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    let step = unsafe stream.move(into: UnsafeMutableBufferPointer(start: buffer, count: room))
    let moved = step.moved
    if let owner = unsafe owner(context) {
        owner.pendingBody -= moved
        owner.sentBody += UInt64(moved)
    }
    if step.isLast {
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if let trailers = step.trailers {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            stream.session?.submitTrailers(trailers, on: stream)
        }
    } else if moved == 0 {
        return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    if moved > 0, stream.hasRoom { stream.handler?.writable() }
    return moved
}
