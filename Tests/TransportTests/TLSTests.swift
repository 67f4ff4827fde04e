// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestPeers
import TestSupport
import Testing
import Transport

@Suite struct TLSTests {
    let tls: TestTLS

    init() async throws { tls = try await TestTLS.make() }

    @Test(arguments: [0, 1, 100_000, 5_000_000])
    func echoesBetweenOurselves(_ size: Int) async throws {
        let loops = try TestLoops()
        let address = try #require(Address("127.0.0.1", port: 0))
        let listener = try Listener(
            at: address, loops: loops.loops, security: .tls(TLSContext(tls.server)), handler: echo)
        let connector = Connector(security: .tls(try TLSContext(tls.client())))
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let back = try await exchange(
            bytes, with: .host("127.0.0.1", port: listener.address.port), connector, on: loops.loops.all[1])
        #expect(back == bytes)
        await eventually { listener.connections == 0 }
    }
}
