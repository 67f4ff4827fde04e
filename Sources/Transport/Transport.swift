// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
internal import Glibc

/// Transport moves bytes between this process and its peers, and knows who they are.
///
/// `EventLoops` starts one thread a core. A `Listener` takes connections at an address and a `Connector` makes them; each
/// `Connection` lives on one `EventLoop` and meets its protocol through a `ConnectionHandler` (called with bytes) or a
/// `ByteStream` (read and written by straight `async` code). Everything of a loop is used on its own thread and needs no
/// lock; the compiler sees to that, since these classes are not `Sendable` and only a `LoopBound` carries them. Work that
/// costs CPU goes to the `WorkQueue` that all loops share. `TLSContext` holds certificates, keys and CRLs, loads them
/// anew while connections live, and makes a `PeerIdentity` of what a peer proved.
///
/// It refuses: a TLS server without its material or, unless it says so, without a CA for its clients; TLS below 1.3 (1.2
/// by name, with ECDHE and AEAD); renegotiation, compression, early data, tickets, new keys without end; peers whose
/// certificate is missing, expired, revoked, denied, of an unknown CA or for another use or name; peers that are too
/// slow, idle or many.
///
/// ```swift
/// let loops = try EventLoops()
/// let listener = try Listener(at: address, loops: loops, security: .tls(context)) { connection in
///     ByteStream(connection) { stream in
///         while let bytes = try await stream.read() { try await stream.write(bytes) }
///     }
/// }
/// ...
/// await listener.drain(within: .seconds(10))
/// ```
///
/// A `TransportError` says why a listener, a connection or TLS material could not be had.
public struct TransportError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static func system(_ call: String, _ number: Int32) -> TransportError {
        TransportError(.systemCallFailed, "\(call): \(Self.text(of: number))")
    }

    static func text(of number: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        unsafe strerror_r(number, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
