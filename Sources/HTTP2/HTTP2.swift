// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// HTTP2 keeps HTTP/2 sessions (RFC 9113) on nghttp2: it takes the bytes of a connection and gives bytes for it, and
/// between the two it calls handlers with heads, bodies and ends of streams. It opens no socket and reads no clock.
///
/// It refuses what the RFC forbids (nghttp2 sees to frames, HPACK and the form of messages), and what a peer does too
/// often: every limit is in `SessionLimits`, and a peer over one is told ENHANCE_YOUR_CALM and cut off.
///
/// ```swift
/// let session = try Session(.server, limits: SessionLimits())
/// session.accept = { stream, head in Echo(stream) }
/// try session.receive(bytes.span, at: clock.nanoseconds())
/// while session.nextOutput({ connection.write($0) }) {}
/// ```
public struct HTTP2Error: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    public var description: String { message }

    static func library(_ number: Int32) -> HTTP2Error {
        HTTP2Error(code: .http2Protocol, message: "HTTP/2 session failed: \(libraryText(number))")
    }

    static let closedStream = HTTP2Error(
        code: .http2Protocol, message: "HTTP/2 peer sent a frame on a stream that it had ended")
    static let streamOutOfOrder = HTTP2Error(
        code: .http2Protocol, message: "HTTP/2 peer opened a stream whose number it had left out before")

    static func flood(_ what: StaticString) -> HTTP2Error {
        HTTP2Error(code: .http2Flood, message: "HTTP/2 peer sent too many \(what)")
    }
}

/// Why a stream or a session ends, as RFC 9113 section 7 numbers it.
public struct ResetCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let noError = ResetCode(rawValue: 0x0)
    public static let protocolError = ResetCode(rawValue: 0x1)
    public static let internalError = ResetCode(rawValue: 0x2)
    public static let flowControlError = ResetCode(rawValue: 0x3)
    public static let settingsTimeout = ResetCode(rawValue: 0x4)
    public static let streamClosed = ResetCode(rawValue: 0x5)
    public static let frameSizeError = ResetCode(rawValue: 0x6)
    public static let refusedStream = ResetCode(rawValue: 0x7)
    public static let cancel = ResetCode(rawValue: 0x8)
    public static let compressionError = ResetCode(rawValue: 0x9)
    public static let connectError = ResetCode(rawValue: 0xa)
    public static let enhanceYourCalm = ResetCode(rawValue: 0xb)
    public static let inadequateSecurity = ResetCode(rawValue: 0xc)
    public static let http11Required = ResetCode(rawValue: 0xd)
}
