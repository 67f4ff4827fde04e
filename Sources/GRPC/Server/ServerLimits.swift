// SPDX-License-Identifier: Apache-2.0

public import HTTP2

/// What one call may take.
public struct ServerLimits: Sendable {
    /// Bytes of one message.
    public var message = 4 << 20
    /// Messages and bytes of a whole call.
    public var messages = 1_000_000
    public var bytes: UInt64 = 4 << 30
    /// Messages that wait for the handler before the peer is held up, whatever their size.
    public var waitingMessages = 64
    /// The longest a call may last, whatever the client asks for; nil for no end.
    public var longest: Duration?
    /// Bytes of messages that are not whole or not taken yet, over all calls of a connection and of the server.
    public var heldByConnection = 64 << 20
    public var held = 512 << 20
    /// Bytes that may wait to be sent on one call; `post` refuses more, `send` waits long before.
    public var unsent = 16 << 20
    /// How long a client may take nothing of what waits for it before its call is reset.
    public var untaken: Duration = .seconds(30)
    public var session = SessionLimits()

    public init() {}
}
