// SPDX-License-Identifier: Apache-2.0

/// What a protocol does with its connection. Every call comes on the connection's loop, and none comes from within a call
/// that the handler makes: `close` inside of `received` leads to `closed` later in the pass.
///
/// The connection keeps the handler until it has told it `closed`; a handler keeps its connection as long as it likes.
public protocol ConnectionHandler: AnyObject {
    /// Bytes arrived. They are valid during the call alone. What comes after `pauseReading` waits in the kernel, so the
    /// peer has to wait as well.
    func received(_ bytes: Span<UInt8>, on connection: Connection)

    /// The peer is done sending; it may still read.
    func inputEnded(on connection: Connection)

    /// There is room for output, and `requestOutput` was called. Write about `room` bytes; call `requestOutput` again
    /// if more is left. It comes once a pass, before the bytes of the pass are sent.
    func produce(room: Int, on connection: Connection)

    /// Finish what runs, begin nothing new, then `close`. Comes once, for the connection's age or a shutdown; what is
    /// not done when `TransportLimits.drain` is over is cut off.
    func drain(_ connection: Connection)

    /// The end. Nothing comes after it.
    func closed(_ connection: Connection, _ reason: CloseReason)
}

extension ConnectionHandler {
    public func inputEnded(on connection: Connection) { connection.close() }
    public func produce(room: Int, on connection: Connection) {}
    public func drain(_ connection: Connection) { connection.close() }
    public func closed(_ connection: Connection, _ reason: CloseReason) {}
}
