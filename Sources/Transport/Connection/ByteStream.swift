// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// A connection read and written by straight `async` code on its loop, for protocols that do one thing after the other.
///
/// ```swift
/// let listener = try Listener(at: address, loops: loops, security: .plain) { connection in
///     ByteStream(connection) { stream in
///         while let bytes = try await stream.read() { try await stream.write(bytes) }
///     }
/// }
/// ```
public final class ByteStream: ConnectionHandler {
    public let connection: Connection
    private var received: [UInt8] = []
    private var inputOver = false
    private var end: CloseReason?
    private var reader: CheckedContinuation<Void, Never>?
    private var writer: CheckedContinuation<Void, Never>?
    private var task: Task<Void, Never>?
    private let mostReceived = 256 << 10

    /// A stream to be read and written by whoever holds it on the loop.
    public init(_ connection: Connection) { self.connection = connection }

    /// A stream served by `body` on the loop; the connection closes when it returns or throws, and the task is
    /// cancelled when the connection ends.
    public init(_ connection: Connection, serve body: @escaping @Sendable (ByteStream) async throws -> Void) {
        self.connection = connection
        task = connection.loop.spawn(holding: self) { stream in
            do {
                try await body(stream)
                stream.connection.close()
            } catch {
                stream.connection.close(.abandoned)
            }
        }
    }

    // MARK: For the protocol

    /// What has arrived, as soon as something has; `nil` at the peer's end. Throws when the connection was cut.
    public func read() async throws -> [UInt8]? {
        while received.isEmpty {
            if inputOver { return nil }
            try checkOpen()
            precondition(reader == nil, "two readers of one stream")
            await withCheckedContinuation { continuation in
                // The task may have let others run on its way here, and what it waits for may have come.
                let mustWait = received.isEmpty && !inputOver && end == nil
                if mustWait { reader = continuation } else { continuation.resume() }
            }
        }
        let bytes = received
        received = []
        connection.resumeReading()
        return bytes
    }

    /// Sends bytes; waits as long as too much is under way.
    public func write(_ bytes: [UInt8]) async throws {
        var rest = bytes.span
        while true {
            try checkOpen()
            let part = min(rest.count, max(0, connection.limits.outputHigh - connection.bufferedOutput))
            connection.write(rest.extracting(0..<part))
            rest = rest.extracting(part..<rest.count)
            if rest.isEmpty && connection.hasRoom { return }
            precondition(writer == nil, "two writers of one stream")
            await withCheckedContinuation { continuation in
                guard end == nil else { return continuation.resume() }
                writer = continuation
                // Asked for here and not before: on its way here the task may have let others run.
                connection.requestOutput()
            }
        }
    }

    /// Sends the end of the output; input still comes.
    public func finish() { connection.finish() }

    private func checkOpen() throws(TransportError) {
        guard let end else { return }
        throw TransportError(.connectionClosed, "\(connection.remote): \(end)")
    }

    // MARK: From the connection

    public func received(_ bytes: Span<UInt8>, on connection: Connection) {
        received.append(copying: bytes)
        if received.count >= mostReceived { connection.pauseReading() }
        wakeReader()
    }

    public func inputEnded(on connection: Connection) {
        inputOver = true
        wakeReader()
    }

    public func produce(room: Int, on connection: Connection) { wakeWriter() }

    public func closed(_ connection: Connection, _ reason: CloseReason) {
        end = reason
        wakeReader()
        wakeWriter()
        task?.cancel()
        task = nil
    }

    private func wakeReader() {
        reader?.resume()
        reader = nil
    }

    private func wakeWriter() {
        writer?.resume()
        writer = nil
    }
}
