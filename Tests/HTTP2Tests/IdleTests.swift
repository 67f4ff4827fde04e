// SPDX-License-Identifier: Apache-2.0

import TestPeers
import TestSupport
import Testing

@Suite struct IdleTests {
    /// Connections that have said hello, with gRPC on HTTP/2 on mutual TLS, and then nothing more.
    @Test(.needs(.noSanitizer)) func idleConnectionsTakeAtMost64KiBEach() async throws {
        let count = Trials.count(300, full: 2000)
        let each = try await apart {
            let target = try WireTarget()
            // The first ones bring what all share.
            let first = try target.idleClients(20)
            let before = try target.memory("RssAnon")
            let clients = try target.idleClients(count)
            let growth = try target.memory("RssAnon") - before
            first.end()
            clients.end()
            return growth / count
        }
        print("an idle gRPC connection takes \(each) KiB")
        #expect(each <= 64)
    }
}

extension WireTarget {
    /// Connections to the secure listener, all of them open.
    fileprivate func idleClients(_ count: Int) throws -> Companion {
        let clients = try Companion(
            python: "idle_clients.py", [tls.file(""), "\(try directPort(of: .secure))", "\(count)"])
        guard clients.readLine() == "ready" else { throw NotUp() }
        return clients
    }
}
