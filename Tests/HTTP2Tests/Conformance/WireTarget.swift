// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// The process of servers that the cases and the floods are aimed at.
final class WireTarget: Sendable {
    enum Listener: String, CaseIterable, Sendable {
        case bare
        case grpc
        /// On its plain port it speaks HTTP/1.1 as well: only behind the preface is it HTTP/2.
        case http
    }

    /// The one of all conformance cases.
    static let shared = Result { try WireTarget(isPatient: true) }

    private let companion: Companion
    private let ports: [Listener: UInt16]

    /// A patient one gives slow peers all the time they take.
    init(isPatient: Bool = false) throws {
        companion = try Companion([Products.path("wire-target")] + (isPatient ? ["patient"] : []))
        var ports: [Listener: UInt16] = [:]
        for _ in Listener.allCases {
            let words = (companion.readLine() ?? "").split(separator: " ")
            guard words.count == 2, let listener = Listener(rawValue: String(words[0])) else { break }
            ports[listener] = UInt16(words[1])
        }
        self.ports = ports
    }

    struct NotUp: Error {}

    func port(of listener: Listener) throws -> UInt16 {
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

/// Does what blocks on a thread of its own: the tests that run at the same time share two.
func apart<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { () throws -> Value in try body() }) }
    }
}
