// SPDX-License-Identifier: Apache-2.0

/// How long and how slow a connection may be, how much may wait in it and how many there may be.
public struct TransportLimits: Sendable, Equatable {
    /// From the accepted (or asked for) connection to the end of the TLS handshake.
    public var handshake: Duration = .seconds(5)
    /// Without a byte in either direction, unless the protocol says that the connection is busy.
    public var idle: Duration = .seconds(300)
    /// After this, and a random part of `ageJitter`, the protocol is told to drain.
    public var age: Duration = .seconds(3600)
    public var ageJitter: Duration = .seconds(600)
    /// From the word to drain to the end.
    public var drain: Duration = .seconds(30)
    /// How long a closed connection waits for the peer to take the last bytes and close too.
    public var linger: Duration = .seconds(2)
    /// Bytes a second, on average over `rateWindow`, that a peer must take when something waits for it, and send when
    /// the protocol expects something. The time counts from when it last had moved so much.
    public var leastRate = 1024
    public var rateWindow: Duration = .seconds(4)

    /// A protocol should stop to produce when this much waits to be sent ...
    public var outputHigh = 256 << 10
    /// ... and is asked for more when less than this is left.
    public var outputLow = 64 << 10
    /// A connection with more waiting than this is given up.
    public var outputMost = 1 << 20

    /// Open connections of one listener.
    public var connections = 4096
    /// Of one IPv4 address or IPv6 /64 network; unix sockets are not counted.
    public var connectionsPerAddress = 64
    /// Of one peer certificate.
    public var connectionsPerPeer = 256
    /// Connections that the kernel holds ready for the listener.
    public var backlog = 512
    /// Descriptors below the process's limit that connections never use.
    public var reservedDescriptors = 64

    public init() {}

    /// Bytes that a peer has to move in each `rateWindow`.
    package var leastInWindow: Int {
        let (seconds, attoseconds) = rateWindow.components
        let least = Double(leastRate) * (Double(seconds) + Double(attoseconds) / 1e18)
        return Int(min(max(least, 1), 1e15))
    }
}
