// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Transport

@Suite struct PlainTests {
    @Test(arguments: ["127.0.0.1", "::1", "unix"], [0, 1, 100_000, 5_000_000])
    func echoes(_ kind: String, _ size: Int) async throws {
        let folder = try TemporaryFolder()
        let loops = try TestLoops()
        let address = kind == "unix" ? Address.unix(folder.path + "/s") : try #require(Address(kind, port: 0))
        let listener = try Listener(at: address, loops: loops.loops, security: .plain, handler: echo)
        let endpoint: Endpoint =
            kind == "unix" ? .unix(folder.path + "/s") : .host(kind, port: listener.address.port)
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let back = try await exchange(bytes, with: endpoint, on: loops.loops.all[1])
        #expect(back == bytes)
        await eventually { listener.connections == 0 }
        await listener.drain(within: .seconds(1))
    }

    @Test func pythonEchoes() async throws {
        let loops = try TestLoops()
        let address = try #require(Address("127.0.0.1", port: 0))
        let listener = try Listener(at: address, loops: loops.loops, security: .plain, handler: echo)
        let output = try await command([
            "python3", "-c",
            """
            import socket, sys
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            s.sendall(b"hello")
            s.shutdown(socket.SHUT_WR)
            print(s.makefile("rb").read())
            """, "\(listener.address.port)",
        ])
        #expect(output.text == "b'hello'\n")
    }
}
