// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Glibc
import HTTP
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

    /// How often the key stands in this process's memory. The window that the scan reads through is left out.
    private func copies() throws -> Int {
        let size = 4 << 20
        let maps = try Command.check(["cat", "/proc/\(getpid())/maps"]).text
        let memory = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
        defer { close(memory) }
        guard memory >= 0,
            let window = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        else { throw POSIXError(.EACCES) }
        defer {
            unsafe memset(window, 0, size)
            unsafe munmap(window, size)
        }
        let own = UInt(bitPattern: window)
        var found = 0
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            // What a sanitizer keeps beside the memory is larger than all of it.
            guard ends.count == 2, ends[1] - ends[0] < 1 << 32, words[1].hasPrefix("r"),
                !line.hasSuffix("[vvar]"),
                !line.hasSuffix("[vsyscall]")
            else { continue }
            var start = ends[0]
            while start < ends[1] {
                if start >= own, start < own + UInt(size) { start = own + UInt(size); continue }
                let stop = start < own ? min(ends[1], own) : ends[1]
                let count = unsafe pread(memory, window, min(size, Int(stop - start)), Int(bitPattern: start))
                guard count > 0 else { break }
                found += unsafe occurrences(in: UnsafeRawBufferPointer(start: window, count: count))
                if count < masked.count || start + UInt(count) >= stop {
                    start = max(stop, start + UInt(count)); continue
                }
                start += UInt(count - masked.count + 1)
            }
        }
        return found
    }

    private func occurrences(in bytes: UnsafeRawBufferPointer) -> Int {
        var found = 0
        var place = 0
        let first = Int32(masked[0] ^ 0xa5)
        while place + masked.count <= bytes.count, let base = bytes.baseAddress,
            let hit = unsafe memchr(base + place, first, bytes.count - place - masked.count + 1)
        {
            place = unsafe base.distance(to: UnsafeRawPointer(hit))
            var length = 1
            while length < masked.count, unsafe bytes[place + length] == masked[length] ^ 0xa5 { length += 1 }
            if length == masked.count { found += 1 }
            place += 1
        }
        return found
    }
}
