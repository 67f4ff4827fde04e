// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Protobuf

/// `grpc.health.v1.Health`: Check and Watch of the services' states, which the program sets from its own checks.
///
/// ```swift
/// let health = HealthService(["", "signet.v1.Signing"])
/// let server = Server([signing, health.service])
/// health.set(.serving, for: "")
/// ```
public final class HealthService: Sendable {
    public enum State: Int32, Sendable {
        case unknown = 0
        case serving = 1
        case notServing = 2
        /// For Watch alone: nobody serves this name, for now.
        case serviceUnknown = 3
    }

    private struct Watched {
        var states: [String: State]
        var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var lastID: UInt64 = 0
    }

    private let watched: Lock<Watched>
    /// Calls of Watch that may be open at once.
    private let mostWatchers: Int

    /// Every name starts as not serving; `""` stands for the server as a whole.
    public init(_ names: [String], mostWatchers: Int = 1000) {
        watched = Lock(Watched(states: Dictionary(names.map { ($0, .notServing) }) { first, _ in first }))
        self.mostWatchers = mostWatchers
    }

    public func set(_ state: State, for name: String) {
        let watchers = watched.withLock { watched -> [AsyncStream<Void>.Continuation] in
            guard watched.states[name] != state else { return [] }
            watched.states[name] = state
            return Array(watched.watchers.values)
        }
        for watcher in watchers { watcher.yield() }
    }

    public func state(of name: String) -> State? { watched.withLock { $0.states[name] } }

    public var service: Service {
        Service(
            "grpc.health.v1.Health",
            [
                .unary("Check", HealthRequest.self) { request, _ in
                    guard let state = self.state(of: request.service) else {
                        throw CallStatus(.notFound, "no service \(request.service) here")
                    }
                    return HealthResponse(state: state.rawValue)
                },
                Method("Watch") { call in try await self.watch(call) },
            ])
    }

    private func watch(_ call: ServerCall) async throws {
        let request: HealthRequest = try await decoded(call.onlyMessage())
        let (changes, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = try watched.withLock { watched throws(CallStatus) -> UInt64 in
            guard watched.watchers.count < mostWatchers else {
                throw CallStatus(.resourceExhausted, "too many health watches")
            }
            watched.lastID += 1
            watched.watchers[watched.lastID] = continuation
            return watched.lastID
        }
        defer { watched.withLock { watched in watched.watchers[id] = nil } }
        continuation.yield()
        var told: State?
        for await _ in changes {
            let state = state(of: request.service) ?? .serviceUnknown
            guard state != told else { continue }
            told = state
            try await call.send(HealthResponse(state: state.rawValue))
        }
    }
}

/// message HealthCheckRequest { string service = 1; }
struct HealthRequest: ProtobufMessage {
    var service = ""

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.next() {
            switch field.number {
            case 1: service = try reader.string(field, limit: 1024)
            default: try reader.skip(field)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) { writer.string(1, service) }
}

/// message HealthCheckResponse { ServingStatus status = 1; }
struct HealthResponse: ProtobufMessage {
    var state: Int32

    init(state: Int32) { self.state = state }

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        state = 0
        while let field = try reader.next() {
            switch field.number {
            case 1: state = try reader.int32(field)
            default: try reader.skip(field)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) { writer.int32(1, state) }
}
