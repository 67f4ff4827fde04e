// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestPeers
import TestSupport
import Testing

@testable import Transport

/// What the whole process holds; these run in processes of their own, and leave them without what runs at an exit: a
/// sanitizer would count what Foundation never frees.
enum OwnProcess {
    static var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
    }

    /// Resident bytes that are not files.
    static var resident: Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (Int(line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first ?? "") ?? 0) * 1024
    }

    /// Sanitizers keep memory of their own for every object.
    static var isSanitized: Bool {
        unsafe dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
    }

    static func limitDescriptors(_ count: Int?) {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = count.map { rlim_t($0) } ?? limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

@Suite struct ResourceTests {
    @Test func nothingIsLeft() async {
        await #expect(processExitsWith: .success) {
            let tls = try await TestTLS.make()
            func round() async throws {
                let loops = try TestLoops(2)
                let listener = try Listener(
                    at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
                    security: .tls(TLSContext(tls.server)), handler: echo)
                let endpoint = Endpoint.host("127.0.0.1", port: listener.address.port)
                let good = Connector(security: .tls(try TLSContext(tls.client())))
                let plain = Connector(security: .plain)
                for number in 0..<20 {
                    _ = try? await exchange(
                        [1, 2, 3], with: endpoint, number % 3 == 0 ? plain : good, on: loops.loops.all[0],
                        serverName: "server.test")
                }
                // Left open on purpose: the end of the loops closes them.
                let open = try await OpenStream(
                    endpoint, good.security, on: loops.loops.all[1], serverName: "server.test")
                try await open.send("x")
                _ = try await loops.loops.queue.run(in: WorkQueue.Lane()) { 1 }
            }
            try await round()
            let before = OwnProcess.descriptors
            for _ in 0..<5 { try await round() }
            await eventually { OwnProcess.descriptors == before }
            _exit(OwnProcess.descriptors == before ? 0 : 1)
        }
    }

    /// Without descriptors the listener sheds what it cannot serve, does not spin, and serves again afterwards.
    @Test func descriptorsRunOut() async {
        await #expect(processExitsWith: .success) {
            let loops = try TestLoops(1)
            let listener = try Listener(
                at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops, security: .plain,
                handler: echo)
            let endpoint = Endpoint.host("127.0.0.1", port: listener.address.port)
            #expect(try await exchange([1], with: endpoint, on: loops.loops.all[0]) == [1])
            await eventually { listener.connections == 0 }
            let clients = try (0..<3).map { _ in try RawClient.unconnected() }
            // Nothing asynchronous happens meanwhile, since the language's own threads need descriptors too.
            try await apart {
                OwnProcess.limitDescriptors(64)
                var fillers: [Int32] = []
                while case let filler = unsafe open("/dev/null", O_RDONLY), filler >= 0 {
                    fillers.append(filler)
                }
                for client in clients { client.connect(listener.address) }
                let time = clock()
                for client in clients {
                    var polls = 0
                    while !client.isEnded {
                        polls += 1
                        if polls > 30_000 { _exit(2) }
                        usleep(1000)
                    }
                }
                // Polling costs a little; an acceptor that spins would cost what the time is worth.
                if Double(clock() - time) / Double(CLOCKS_PER_SEC) > 1 { _exit(3) }
                for filler in fillers { close(filler) }
            }
            await eventually {
                (try? await exchange([1], with: endpoint, on: loops.loops.all[0])) == [1]
            }
            _exit(0)
        }
    }

    /// Idle connections with mutual TLS cost at most 64 KiB each.
    @Test(.enabled(if: !OwnProcess.isSanitized)) func idleConnections() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            OwnProcess.limitDescriptors(nil)
            let count = Trials.count(300, full: 2000)
            let tls = try await TestTLS.make()
            let loops = try TestLoops(2)
            var limits = TransportLimits()
            limits.connectionsPerAddress = 4096
            limits.connectionsPerPeer = 4096
            limits.handshake = .seconds(60)
            let listener = try Listener(
                at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
                security: .tls(TLSContext(tls.server)), limits: limits, handler: echo)
            let endpoint = Endpoint.host("127.0.0.1", port: listener.address.port)
            // The first ones bring what all share.
            let connector = Connector(security: .tls(try TLSContext(tls.client())))
            _ = try await exchange(
                [1], with: endpoint, connector, on: loops.loops.all[0], serverName: "server.test")
            let before = OwnProcess.resident
            let client = Process()
            client.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            client.currentDirectoryURL = URL(fileURLWithPath: tls.ca.path)
            client.arguments = [
                "python3", "-c",
                """
                import resource, socket, ssl, sys, time
                hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations("ca.crt")
                context.load_cert_chain("client.crt", "client.key")
                held = []
                for _ in range(int(sys.argv[2])):
                    s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))),
                                            server_hostname="server.test")
                    s.sendall(b"x")
                    assert s.recv(1) == b"x"
                    held.append(s)
                time.sleep(120)
                """, "\(listener.address.port)", "\(count)",
            ]
            client.standardOutput = FileHandle.nullDevice
            try client.run()
            let end = ContinuousClock.now + .seconds(100)
            while listener.connections < count, ContinuousClock.now < end, client.isRunning {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await Task.sleep(for: .milliseconds(200))
            let each = (OwnProcess.resident - before) / count
            print("an idle connection takes \(each) bytes")
            let held = listener.connections
            kill(client.processIdentifier, SIGKILL)
            fflush(nil)
            _exit(held == count && each <= 64 << 10 ? 0 : 1)
        }
        print(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))
    }
}
