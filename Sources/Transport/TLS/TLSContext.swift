// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// TLS material in use. Many listeners and connectors may share it.
///
/// `reload` reads it anew: new handshakes use the new, connections live on, and those whose peer would no longer be
/// accepted are closed at once. Material that cannot be used is refused as a whole, and the old stays.
public final class TLSContext: Sendable {
    private struct State {
        var settings: TLSSettings
        var configuration: TLSConfiguration
        var loops: [ObjectIdentifier: WeakLoop] = [:]
    }

    private struct WeakLoop {
        weak var loop: EventLoop?
    }

    private let state: Lock<State>

    public init(_ settings: TLSSettings) throws {
        let configuration = try TLSConfiguration(settings)
        state = Lock(State(settings: settings, configuration: configuration))
    }

    /// Reads the files of the settings again, or takes new settings for the same role.
    public func reload(_ settings: TLSSettings? = nil) throws {
        let settings = settings ?? state.withLock { $0.settings }
        let configuration = try TLSConfiguration(settings)
        let loops = state.withLock { state in
            guard state.settings.role == settings.role else { return nil as [EventLoop]? }
            state.settings = settings
            state.configuration = configuration
            state.loops = state.loops.filter { $0.value.loop != nil }
            return state.loops.values.compactMap(\.loop)
        }
        guard let loops else {
            throw TransportError(
                .materialInvalid, "TLS material of a server cannot become a client's, or the reverse")
        }
        for loop in loops {
            loop.execute { [self] in
                var connections: [Connection] = []
                loop.core.eachConnection { if $0.isUnder(self) { connections.append($0) } }
                judge(connections[...], by: configuration, on: loop)
            }
        }
    }

    /// A few at a time, since each is a signature to verify.
    private func judge(
        _ connections: ArraySlice<Connection>, by configuration: TLSConfiguration, on loop: EventLoop
    ) {
        for connection in connections.prefix(16) { connection.judgePeer(by: configuration) }
        let rest = connections.dropFirst(16)
        guard !rest.isEmpty else { return }
        _ = loop.schedule(after: .zero) { self.judge(rest, by: configuration, on: loop) }
    }

    // MARK: For listeners, connectors and connections

    var current: TLSConfiguration { state.withLock { $0.configuration } }

    /// A loop that may hold connections under this context hears of changes.
    func inform(_ loop: EventLoop) {
        state.withLock { $0.loops[ObjectIdentifier(loop)] = WeakLoop(loop: loop) }
    }

    func inform(_ loops: EventLoops) {
        for loop in loops.all { inform(loop) }
    }

    func checkServer() throws(TransportError) {
        guard current.role == .server else {
            throw TransportError(.materialInvalid, "a listener needs TLS settings of a server")
        }
    }

    func checkClient(_ serverName: String?) throws(TransportError) {
        let configuration = current
        guard configuration.role == .client else {
            throw TransportError(.materialInvalid, "a connector needs TLS settings of a client")
        }
        guard serverName != nil || !configuration.pins.isEmpty else {
            throw TransportError(
                .materialMissing,
                "TLS to a unix socket needs the name that the server's certificate is for, or a pin")
        }
    }
}

extension Connection {
    func isUnder(_ context: TLSContext) -> Bool { (channel as? TLSChannel)?.context === context }

    /// Ends a connection whose peer would not be accepted any more.
    func judgePeer(by configuration: TLSConfiguration) {
        guard phase == .open, let channel = channel as? TLSChannel, peer != nil else { return }
        if !channel.peerIsAccepted(by: configuration) { abort(.peerRefused) }
    }
}
