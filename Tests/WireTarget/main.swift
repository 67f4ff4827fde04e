// SPDX-License-Identifier: Apache-2.0

// The servers that the conformance cases and the floods are aimed at, in a process of their own, so that its memory is
// theirs alone. Prints a line `NAME PORT` for each and serves until its input ends; `drain` then ends them gracefully.

internal import GRPC
internal import Glibc
internal import HTTP
internal import Transport

/// Each listener by name, with what makes the handler of a connection.
let targets: [(name: String, handler: @Sendable (Connection) -> any ConnectionHandler)] = [
    ("bare", { Bare.serve($0) }),
    ("grpc", { Calls.server.serve($0) }),
    ("http", { Pages.server.serve($0) }),
]

func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe write(1, bytes, bytes.count)
}

func main() async throws {
    var limits = TransportLimits()
    // All attackers come from one address here.
    limits.connectionsPerAddress = limits.connections
    // What is judged by its answers may take its time on a busy machine.
    if CommandLine.arguments.contains("patient") { limits.rateWindow = .seconds(300) }
    guard let address = Address("127.0.0.1", port: 0) else { exit(64) }
    let loops = try EventLoops(count: 2)
    var listeners: [Listener] = []
    for target in targets {
        let listener = try Listener(
            at: address, loops: loops, security: .plain, limits: limits, handler: target.handler)
        listeners.append(listener)
        say("\(target.name) \(listener.address.port)")
    }
    while let line = readLine() {
        guard line == "drain" else { continue }
        for listener in listeners { await listener.drain(within: .seconds(1)) }
        say("drained")
    }
    exit(0)
}

try await main()
