// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import MemoryScan
import Secrets
import TestSupport
import Testing
import Transport

/// Answers whose bodies are keys.
@Suite struct SecretResponseTests {
    /// The key under a mask: this process's memory is searched for it.
    private let masked: [UInt8] = (0..<48).map { _ in UInt8.random(in: 0...255) }

    /// A scan of all memory of this process after each answer finds the key where the answer is, and nowhere else; when
    /// the answer is gone, it is nowhere.
    @Test(arguments: ["/whole", "/parts", "/late"]) func bodyIsNowhereElse(_ path: String) async throws {
        let authority = try Authority()
        let hex = masked.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let service = try Companion(python: "key_service.py", [authority.file(""), hex])
        let line = await Task.detached { service.readLine() }.value
        let port = try #require(line.flatMap { UInt16($0) })
        let loops = try EventLoops(count: 1)
        defer { Self.stop(loops) }
        let client = Client(
            of: ClientService(.host("127.0.0.1", port: port), serverName: "localhost"), on: loops.all[0],
            connector: Connector(security: .tls(try TLSContext(authority.client))))
        try await ask(client, path)
        let left = try copies()
        #expect(left == 0)
        // The scan does find what is in an ordinary answer.
        let plain = try await client.send(ClientRequest(.get, path))
        #expect(plain.body.map { $0 ^ 0xa5 } == masked)
        let plainly = try copies()
        #expect(plainly > 0)
        client.close()
        service.end()
    }

    private func ask(_ client: Client, _ path: String) async throws {
        let answer = try await client.sendForSecret(ClientRequest(.get, path))
        let (status, count) = (answer.status, answer.body.count)
        #expect(status == .ok)
        let found = try copies()
        #expect(found == 1)
        // Only after the scan, so that the answer lives until then.
        var isSame = count == masked.count
        for index in 0..<min(masked.count, count)
        where answer.body.bytes[index] ^ 0xa5 != masked[index] {
            isSame = false
        }
        #expect(isSame)
    }

    @Test func limitHolds() async throws {
        let service = try Scripted([
            "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "a", count: 2000),
            "HTTP/1.1 204 No Content\r\n\r\n",
        ])
        let client = service.client { $0.body = 1000 }
        do {
            let answer = try await client.sendForSecret(ClientRequest(.get, "/"))
            let count = answer.body.count
            Issue.record("an answer with \(count) bytes")
        } catch let error as HTTPError {
            #expect(error.code == .answerTooLarge)
        }
        let empty = try await client.sendForSecret(ClientRequest(.get, "/"))
        let count = empty.body.count
        #expect(count == 0)
    }

    private static func stop(_ loops: EventLoops) { loops.stop() }

    /// How often the key stands in this process's memory.
    private func copies() throws -> Int { try ProcessMemory().count(Canary(masked: masked)) }
}
