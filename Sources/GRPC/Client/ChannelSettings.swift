// SPDX-License-Identifier: Apache-2.0

public import HTTP2
public import Transport

/// How a `Channel` keeps its connections.
public struct ChannelSettings: Sendable {
    public var security: Security
    public var transport = TransportLimits()
    public var session = SessionLimits()
    public var resolver: any Resolver = SystemResolver()
    /// How often names are resolved anew.
    public var resolveEvery: Duration = .seconds(30)
    /// The least time between two resolutions when servers are lost.
    public var resolvePause: Duration = .seconds(1)
    public var connectTimeout: Duration = .seconds(5)
    public var backoff = Backoff()
    /// A server that is silent for `every` and does not answer a ping within `timeout` is left out: at the latest after
    /// twice the one and once the other.
    public var keepAlive = HTTP2Connection.KeepAlive(
        every: .milliseconds(1500), timeout: .seconds(2), whenIdle: true)
    /// Calls under way on one server.
    public var window = 100
    /// Calls that wait for a server; more are refused at once.
    public var mostWaiting = 10_000
    /// Bytes of one message.
    public var message = 4 << 20
    /// Bytes that may wait to be sent on one call; `post` refuses more, `send` waits long before.
    public var unsent = 16 << 20
    /// Chance, for the first server and for the waits between tries.
    public var chance: @Sendable () -> Double = { Double.random(in: 0..<1) }

    public init(security: Security) { self.security = security }
}

/// What goes with one call.
public struct CallOptions: Sendable {
    public var metadata = Metadata()
    public var timeout: Duration?
    /// Whether to wait, as long as the timeout allows, when no server can be reached; else the call fails at once.
    public var waitsForReady = false

    public init(timeout: Duration? = nil, waitsForReady: Bool = false) {
        self.timeout = timeout
        self.waitsForReady = waitsForReady
    }
}
