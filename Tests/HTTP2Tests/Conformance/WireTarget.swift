// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestPeers
import TestSupport
import Transport

/// The process of servers that the cases and the floods are aimed at.
final class WireTarget: Sendable {
    enum Listener: String, CaseIterable, Sendable {
        case bare
        case grpc
        /// On its plain port it speaks HTTP/1.1 as well: only behind the preface is it HTTP/2.
        case http
        /// gRPC over mutual TLS. Its port is that of a go-between in this process, which brings the TLS.
        case secure
    }

    /// The one of all conformance cases.
    static let shared = Result { try WireTarget(isPatient: true) }

    private let companion: Companion
    private let ports: [Listener: UInt16]
    let tls: TestTLS
    private let loops: [EventLoops]
    private let goBetween: [CuttingProxy]

    /// A patient one gives slow peers all the time they take.
    init(isPatient: Bool = false) throws {
        tls = try TestTLS()
        companion = try Companion(
            [Products.path("wire-target"), tls.file("")] + (isPatient ? ["patient"] : []))
        var ports: [Listener: UInt16] = [:]
        for _ in Listener.allCases {
            let words = (companion.readLine() ?? "").split(separator: " ")
            guard words.count == 2, let listener = Listener(rawValue: String(words[0])) else { break }
            ports[listener] = UInt16(words[1])
        }
        loops = try (0..<2).map { _ in try EventLoops(count: 1) }
        var limits = TransportLimits()
        limits.rateWindow = .seconds(1000)
        limits.connectionsPerAddress = limits.connections
        var client = tls.client()
        client.applicationProtocols = ["h2"]
        let context = try TLSContext(client)
        self.ports = ports
        let server = Address.ip4(0x7f00_0001, port: ports[.secure] ?? 0)
        goBetween = try loops.map {
            try CuttingProxy(to: server, loops: $0, security: .tls(context), limits: limits) { .init() }
        }
    }

    deinit {
        for each in loops { each.stop() }
    }

    /// Where an honest client goes, past what is in the attacker's way.
    func honestPort(of listener: Listener) throws -> UInt16 {
        listener == .secure ? goBetween[1].listener.address.port : try directPort(of: listener)
    }

    struct NotUp: Error {}

    func port(of listener: Listener) throws -> UInt16 {
        listener == .secure ? goBetween[0].listener.address.port : try directPort(of: listener)
    }

    /// The server's own.
    func directPort(of listener: Listener) throws -> UInt16 {
        guard let port = ports[listener] else { throw NotUp() }
        return port
    }

    /// A figure of the process in KiB, such as `VmRSS` or `VmHWM`.
    func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(companion.identifier)/status", encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            return line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) }
                ?? 0
        }
        throw NotUp()
    }

    /// Lets `VmHWM` count anew from here.
    func forgetPeak() throws {
        let file = FileHandle(forWritingAtPath: "/proc/\(companion.identifier)/clear_refs")
        try file?.write(contentsOf: Data("5".utf8))
        try file?.close()
    }

    /// Ends its listeners; false when they do not end.
    func drain() -> Bool {
        companion.write("drain")
        return companion.readLine() == "drained"
    }
}
