// SPDX-License-Identifier: Apache-2.0

public import HTTP2

/// How large and how slow requests may be. Limits of single routes are in `Route.Options`, those of connections in
/// `TransportLimits`.
public struct ServerLimits: Sendable {
    public var message = MessageLimits()
    public var session = SessionLimits()
    /// From the first byte of a request to the end of its head, and from the connection to the first byte.
    public var head: Duration = .seconds(4)
    /// Between two requests of an HTTP/1.1 connection.
    public var keepAlive: Duration = .seconds(75)
    /// Bytes of a body that must come while a handler waits for them, each `bodyWindow` from when so many last had come.
    public var leastBody = 4 * 1024
    public var bodyWindow: Duration = .seconds(4)
    /// In so long a client of HTTP/2 must take `leastBody` of an answer. It is longer than the window of the connection:
    /// who takes nothing of any answer loses the connection, and not a stream after the other.
    public var untaken: Duration = .seconds(10)
    /// From a request's head to its answer's, where no route says it.
    public var answer: Duration = .seconds(120)
    /// An unread rest of a body that is taken so that an HTTP/1.1 connection can live on.
    public var unreadRest = 64 * 1024
    /// Bytes of a body that wait for the handler before the client is held up.
    public var waitingBody = 64 * 1024

    public init() {}
}
