// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Transport

/// The connections of a client to one service, on its loop. A connection that is free is used again, the last one
/// first; beyond `most` callers wait for their turn.
final class ConnectionPool {
    private let connector: Connector
    private let service: ClientService
    private let loop: EventLoop
    private let most: Int
    private(set) var count = 0
    private var free: [ClientConnection] = []
    private var waiters: [Waiter] = []

    private final class Waiter {
        var continuation: CheckedContinuation<Void, Never>?
        var given: ClientConnection?
    }

    init(_ connector: Connector, _ service: ClientService, on loop: EventLoop, most: Int) {
        self.connector = connector
        self.service = service
        self.loop = loop
        self.most = most
    }

    /// A free connection or a new one.
    func take(within time: Duration) async throws -> ClientConnection {
        let end = loop.clock.nanoseconds() &+ time.wholeNanoseconds
        while true {
            while let connection = free.popLast() {
                if connection.isReusable { return connection }
            }
            if count < most { break }
            let waiter = Waiter()
            await wait(waiter, until: end)
            if let given = waiter.given, given.isReusable { return given }
            try Task.checkCancellation()
            guard loop.clock.nanoseconds() < end else {
                throw HTTPError(.deadlineExceeded, "\(service.endpoint): no free connection in time")
            }
        }
        count += 1
        do {
            return try await connect(within: time)
        } catch {
            leave()
            throw error
        }
    }

    private func wait(_ waiter: Waiter, until end: UInt64) async {
        let now = loop.clock.nanoseconds()
        let left = Duration.nanoseconds(Int64(clamping: end > now ? end - now : 0))
        let timer = loop.schedule(after: left) { [weak self] in self?.giveUp(waiter) }
        await withCheckedContinuation { continuation in
            // A connection may have come free on the way here.
            guard free.isEmpty, count >= most else { return continuation.resume() }
            waiter.continuation = continuation
            waiters.append(waiter)
        }
        loop.cancel(timer)
    }

    private func connect(within time: Duration) async throws -> ClientConnection {
        let made = LoopBound(Made(), on: loop)
        let loop = loop
        _ = try await connector.connect(
            to: service.endpoint, serverName: service.serverName, on: loop, within: time
        ) { connection in
            let handler = ClientConnection(connection)
            made.value.connection = handler
            return handler
        }
        guard let connection = made.value.connection, connection.isReusable else {
            throw HTTPError(.connectFailed, "\(service.endpoint): the connection ended at once")
        }
        connection.whenOver = { [weak self, unowned connection] in
            self?.free.removeAll { $0 === connection }
            self?.leave()
        }
        return connection
    }

    private final class Made {
        var connection: ClientConnection?
    }

    /// A call is over.
    func give(_ connection: ClientConnection) {
        guard connection.isReusable else { return connection.abandon() }
        if let waiter = nextWaiter() {
            waiter.given = connection
            wake(waiter)
        } else {
            free.append(connection)
        }
    }

    /// A connection is gone: whoever waits may make another.
    private func leave() {
        count -= 1
        if let waiter = nextWaiter() { wake(waiter) }
    }

    private func nextWaiter() -> Waiter? { waiters.isEmpty ? nil : waiters.removeFirst() }

    private func giveUp(_ waiter: Waiter) {
        guard waiters.contains(where: { $0 === waiter }) else { return }
        waiters.removeAll { $0 === waiter }
        wake(waiter)
    }

    private func wake(_ waiter: Waiter) {
        waiter.continuation?.resume()
        waiter.continuation = nil
    }

    func close() {
        let idle = free
        free = []
        for connection in idle { connection.abandon() }
    }
}
