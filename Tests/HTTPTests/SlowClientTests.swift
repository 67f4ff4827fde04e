// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import TestSupport
import Testing
import Transport

/// Clients of HTTP/1.1 that hold a connection by doing next to nothing are cut off within five seconds of the server's
/// time, which these tests move by hand: a busy machine changes nothing.
@Suite struct SlowClientTests {
    struct Client: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var opening: String
        /// Sent again and again, a byte every 100 ms.
        var drip = ""
        /// Whether it takes what is in its socket.
        var reads = true
        /// What it is told.
        var status: Int?
        var isHonest = false
    }

    private static let post = "POST /sum HTTP/1.1\r\nHost: a\r\n"

    static let clients = [
        Client(testDescription: "says nothing", opening: ""),
        Client(testDescription: "half a line", opening: "GET / HT", status: 408),
        Client(testDescription: "half a head", opening: "GET / HTTP/1.1\r\nHost: a\r\n", status: 408),
        Client(
            testDescription: "head byte by byte", opening: "GET / HTTP/1.1\r\nHost: a\r\nX: ", drip: "x",
            status: 408),
        Client(
            testDescription: "half a body",
            opening: post + "Content-Length: 1000000\r\n\r\n"
                + String(repeating: "x", count: 5000), status: 408),
        Client(
            testDescription: "body byte by byte", opening: post + "Content-Length: 1000000\r\n\r\n",
            drip: "x",
            status: 408),
        Client(
            testDescription: "half a chunk", opening: post + "Transfer-Encoding: chunked\r\n\r\nffff\r\nx",
            status: 408),
        Client(
            testDescription: "chunks byte by byte", opening: post + "Transfer-Encoding: chunked\r\n\r\n",
            drip: "1\r\nx\r\n", status: 408),
        Client(
            testDescription: "answer not taken", opening: "GET /known/50000000 HTTP/1.1\r\nHost: a\r\n\r\n",
            reads: false),
        Client(
            testDescription: "answers not taken",
            opening: String(repeating: "GET /known/50000 HTTP/1.1\r\nHost: a\r\n\r\n", count: 200),
            reads: false),
        Client(
            testDescription: "body of 2 KiB a second", opening: post + "Content-Length: 1000000\r\n\r\n",
            drip: String(repeating: "x", count: 205), isHonest: true),
    ]

    @Test(arguments: clients) func isCutOff(_ client: Client) async throws {
        let time = Time()
        let desk = try DeskServer(clock: time.clock)
        let socket = try RawSocket(port: desk.port)
        var drip = Array(client.drip.utf8)[...]
        socket.send(Array(client.opening.utf8))
        // What the kernel's buffers take comes first.
        for _ in 0..<20 {
            await settle(desk)
            try await Task.sleep(for: .milliseconds(5))
        }
        var steps = 0
        while steps < 49, !socket.isCut(reads: client.reads) {
            steps += 1
            time.advance(.milliseconds(100))
            desk.loops.wake()
            if client.isHonest {
                socket.send(Array(drip))
            } else if let byte = drip.popFirst() ?? client.drip.utf8.first {
                if drip.isEmpty { drip = Array(client.drip.utf8)[...] }
                socket.send([byte])
            }
            await settle(desk)
        }
        if client.isHonest {
            #expect(!socket.isCut(reads: true))
            return
        }
        // The word that tells why may still be on its way.
        await eventually("it is not cut off", within: .seconds(60)) { socket.isCut(reads: client.reads) }
        if let status = client.status {
            #expect(socket.text.hasPrefix("HTTP/1.1 \(status) "), "\(socket.text)")
        }
    }

    /// Every loop has gone through a few passes.
    private func settle(_ desk: DeskServer) async {
        for _ in 0..<3 {
            for loop in desk.loops.all { await Task(executorPreference: loop) {}.value }
        }
    }

    private final class Time: Sendable {
        private let nanoseconds = Lock<UInt64>(1_000_000_000)
        var clock: LoopClock { LoopClock { self.nanoseconds.withLock { $0 } } }
        func advance(_ duration: Duration) {
            nanoseconds.withLock { $0 += UInt64(duration / .nanoseconds(1)) }
        }
    }

    /// A socket that is not looked after by any loop.
    private final class RawSocket {
        private let number: Int32
        private var heard: [UInt8] = []
        var text: String { String(decoding: heard, as: UTF8.self) }

        init(port: UInt16) throws {
            number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var size: Int32 = 4096
            unsafe setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
        }

        deinit { close(number) }

        func send(_ bytes: [UInt8]) {
            _ = unsafe Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }

        /// Whether the server has ended the connection.
        func isCut(reads: Bool) -> Bool {
            var entry = pollfd(fd: number, events: Int16(0x2000), revents: 0)
            if unsafe poll(&entry, 1, 0) > 0 {
                if Int32(entry.revents) & (POLLHUP | POLLERR | 0x2000) != 0, !reads { return true }
            }
            guard reads else { return false }
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = unsafe recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count <= 0 { return count == 0 || errno != EAGAIN }
                heard += buffer[..<count]
            }
        }
    }
}
