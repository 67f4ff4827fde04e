// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestPeers
import TestSupport
import Testing
import Transport

/// What a handler is told of its peer, beside what the openssl command reads in the same certificate.
@Suite struct IdentityTests {
    @Test func saysWhatTheCertificateSays() async throws {
        let tls = try await TestTLS.make()
        // Each sort has a name that looks like one of another sort.
        try tls.ca.issue(
            "many",
            san:
                "DNS:first.test,URI:first.test,email:a@first.test,URI:spiffe://test/a,IP:10.0.0.1,DNS:cn.test",
            subject: "/O=Some/CN=spiffe:\\/\\/test\\/b/CN=first.test")
        let loops = try TestLoops()
        let told = Lock<PeerIdentity?>(nil)
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: .tls(TLSContext(tls.server))
        ) { connection in
            told.withLock { $0 = connection.peer }
            return echo(connection)
        }
        let connector = Connector(security: .tls(try TLSContext(tls.client("many"))))
        _ = try await exchange(
            [1], with: .host("127.0.0.1", port: listener.address.port), connector, on: loops.loops.all[0],
            serverName: "server.test")
        let peer = try #require(told.withLock { $0 })
        #expect(peer.uris == ["first.test", "spiffe://test/a"])
        #expect(peer.dnsNames == ["first.test", "cn.test"])
        #expect(peer.commonNames == ["spiffe://test/b", "first.test"])
        #expect(peer.fingerprint == (try tls.fingerprint("many")))
        #expect(peer.serial == (try tls.serial("many")))
        #expect(peer.authority.fingerprint == (try tls.fingerprint("ca")))
        #expect(peer.authority.name == (try Self.read("-issuer", tls.file("many.crt"))))
        for (option, time) in [("-startdate", peer.notBefore), ("-enddate", peer.notAfter)] {
            let date = try Self.read(option, tls.file("many.crt"))
            #expect("\(time)" == (try Command.check(["date", "-u", "-d", date, "+%s"]).text.dropLast()))
        }
    }

    /// A field of a certificate as the openssl command shows it, without its name.
    private static func read(_ option: String, _ file: String) throws -> String {
        let text = try Command.check([
            "openssl", "x509", "-in", file, "-noout", option, "-nameopt", "RFC2253",
        ]).text
        return String(text.drop { $0 != "=" }.dropFirst().dropLast())
    }

    /// Two peers with the same names from two authorities are two peers.
    @Test func authoritiesAreTold() async throws {
        let tls = try await TestTLS.make()
        let other = try TestCA("other", in: tls.folder)
        let twin = try other.issue("client", san: "URI:spiffe://test/client,DNS:client.test")
        let both = try tls.folder.write(
            "both.crt", try tls.folder.read("ca/ca.crt") + tls.folder.read("other/ca.crt"))
        var server = tls.server
        server.trust = .authorities(.file(both))
        let loops = try TestLoops()
        let told = Lock<[PeerIdentity?]>([])
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: .tls(TLSContext(server))
        ) { connection in
            told.withLock { $0.append(connection.peer) }
            return echo(connection)
        }
        var second = tls.client()
        second.certificates = .file(twin.certificate)
        second.key = .file(twin.key)
        for settings in [tls.client(), second] {
            let connector = Connector(security: .tls(try TLSContext(settings)))
            _ = try await exchange(
                [1], with: .host("127.0.0.1", port: listener.address.port), connector,
                on: loops.loops.all[0], serverName: "server.test")
        }
        let peers = told.withLock { $0 }
        #expect(peers.map { $0?.uris } == [["spiffe://test/client"], ["spiffe://test/client"]])
        #expect(peers.map { $0?.authority.name } == ["CN=ca,O=Test", "CN=other,O=Test"])
        #expect(peers.first != peers.last)
    }
}
