// SPDX-License-Identifier: Apache-2.0

// The servers that the conformance cases and the floods are aimed at, in a process of their own, so that its memory is
// theirs alone. Prints a line `NAME PORT` for each and serves until its input ends; `drain` then ends them gracefully.

internal import GRPC
internal import Glibc
internal import HTTP
internal import Transport

/// Each listener by name, with what makes the handler of a connection, and whether it speaks mutual TLS.
let targets: [(name: String, isSecure: Bool, handler: @Sendable (Connection) -> any ConnectionHandler)] = [
    ("bare", false, { Bare.serve($0) }),
    ("grpc", false, { Calls.server.serve($0) }),
    ("http", false, { Pages.server.serve($0) }),
    ("secure", true, { Calls.server.serve($0) }),
]

/// With the material in a folder.
func security(_ folder: String) throws -> Security {
    var settings = TLSSettings.server(
        certificates: .file(folder + "server.crt"), key: .file(folder + "server.key"),
        trust: .authorities(.file(folder + "ca.crt")))
    settings.applicationProtocols = ["h2"]
    return .tls(try TLSContext(settings))
}

func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe write(1, bytes, bytes.count)
}

/// As many descriptors as there may be.
func liftLimit() {
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

func main() async throws {
    liftLimit()
    var limits = TransportLimits()
    // All attackers come from one address here.
    limits.connectionsPerAddress = limits.connections
    limits.connectionsPerPeer = limits.connections
    // What is judged by its answers may take its time on a busy machine.
    if CommandLine.arguments.contains("patient") { limits.rateWindow = .seconds(300) }
    guard let address = Address("127.0.0.1", port: 0) else { exit(64) }
    let secure = try security(CommandLine.arguments.dropFirst().first ?? "")
    let loops = try EventLoops(count: 2)
    var listeners: [Listener] = []
    for target in targets {
        let listener = try Listener(
            at: address, loops: loops, security: target.isSecure ? secure : .plain, limits: limits,
            handler: target.handler)
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
