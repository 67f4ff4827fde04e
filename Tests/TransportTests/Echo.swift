// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestPeers
import TestSupport
import Testing
import Transport

/// Loops that end with the test.
final class TestLoops: Sendable {
    let loops: EventLoops

    init(_ count: Int = 2, clock: LoopClock = .monotonic) throws {
        loops = try EventLoops(count: count, clock: clock)
    }

    deinit { Self.stop(loops) }

    private static func stop(_ loops: EventLoops) { loops.stop() }
}

/// Sends everything back.
@Sendable func echo(_ connection: Connection) -> any ConnectionHandler {
    ByteStream(connection) { stream in
        while let bytes = try await stream.read() { try await stream.write(bytes) }
    }
}

func command(_ arguments: [String], input: [UInt8] = [], folder: String? = nil) async throws -> Command.Output
{
    try await apart { try Command.run(arguments, input: input, folder: folder) }
}

/// Connects, sends bytes while it reads, ends its output, and returns all that came back.
func exchange(
    _ bytes: [UInt8], with endpoint: Endpoint, _ connector: Connector = Connector(security: .plain),
    on loop: EventLoop, serverName: String? = nil
) async throws -> [UInt8] {
    let task = Task(executorPreference: loop) {
        let streams = StreamBox()
        let connection = try await connector.connect(to: endpoint, serverName: serverName, on: loop) {
            let stream = ByteStream($0)
            streams.bound.withLock { $0 = LoopBound(stream, on: loop) }
            return stream
        }
        _ = connection
        guard let bound = streams.bound.withLock({ $0 }) else { return [UInt8]() }
        let writing = Task(executorPreference: loop) {
            try await bound.value.write(bytes)
            bound.value.finish()
        }
        var back: [UInt8] = []
        while let part = try await bound.value.read() { back += part }
        try await writing.value
        bound.value.connection.close()
        return back
    }
    return try await task.value
}

final class StreamBox: Sendable {
    let bound = Lock<LoopBound<ByteStream>?>(nil)
}
