// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Transport

/// Passes bytes on in both directions, and cuts both connections when a number of bytes has passed in one. To the server
/// it may speak TLS, for clients that have none.
public final class CuttingProxy: Sendable {
    public let listener: Listener

    public struct Cut: Sendable {
        public var fromClient = Int.max
        public var fromServer = Int.max
        /// With a reset, else with an end that looks like the other side's own.
        public var resets = false

        public init(fromClient: Int = .max, fromServer: Int = .max, resets: Bool = false) {
            self.fromClient = fromClient
            self.fromServer = fromServer
            self.resets = resets
        }
    }

    public init(
        to server: Address, loops: EventLoops, security: Security = .plain,
        limits: TransportLimits = TransportLimits(), _ cut: @escaping @Sendable () -> Cut
    ) throws {
        let connector = Connector(security: security, limits: limits)
        listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain, limits: limits
        ) { near in
            let cut = cut()
            return ByteStream(near) { near in
                let box = Far()
                let loop = near.connection.loop
                _ = try await connector.connect(to: .host("127.0.0.1", port: server.port), on: loop) {
                    let far = ByteStream($0)
                    box.bound.withLock { $0 = LoopBound(far, on: loop) }
                    return far
                }
                guard let far = box.bound.withLock({ $0 }) else { return }
                let nearBound = LoopBound(near, on: loop)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        await Self.pump(nearBound.value, far.value, cut.fromClient, cut.resets)
                    }
                    group.addTask {
                        await Self.pump(far.value, nearBound.value, cut.fromServer, cut.resets)
                    }
                }
                far.value.connection.close()
            }
        }
    }

    private static func pump(_ from: ByteStream, _ to: ByteStream, _ limit: Int, _ resets: Bool) async {
        var left = limit
        do {
            while let bytes = try await from.read() {
                let part = bytes.prefix(left)
                left -= part.count
                try await to.write(Array(part))
                guard left == 0 else { continue }
                for connection in [to.connection, from.connection] {
                    if resets { connection.abort(.abandoned) } else { connection.close() }
                }
                return
            }
            to.finish()
        } catch {
            to.connection.abort(.abandoned)
            from.connection.abort(.abandoned)
        }
    }

    private final class Far: Sendable {
        let bound = Lock<LoopBound<ByteStream>?>(nil)
    }
}
