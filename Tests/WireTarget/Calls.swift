// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// A gRPC server whose one method returns the messages that it gets, or as many bytes as `x-size` says.
enum Calls {
    static let server = Server([
        Service(
            "wire.Target",
            [
                Method("Echo") { call in
                    while let message = try await call.next() { try await call.send(message) }
                    var left = call.metadata["x-size"].flatMap { Int($0) } ?? 0
                    while left > 0 {
                        let count = min(left, 16 << 10)
                        left -= count
                        try await call.send([UInt8](repeating: 0x78, count: count))
                    }
                }
            ])
    ])
}
