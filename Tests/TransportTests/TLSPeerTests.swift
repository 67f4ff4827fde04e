// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestPeers
import TestSupport
import Testing
import Transport

/// What a listener had to say about its connections.
final class Ends: Sendable {
    private let list = Lock<[CloseReason]>([])
    var reasons: [CloseReason] { list.withLock { $0 } }
    func add(_ reason: CloseReason) { list.withLock { $0.append(reason) } }
}

/// Answers the first bytes with who the peer is, and closes.
@Sendable func introduce(_ connection: Connection) -> any ConnectionHandler {
    let peer = connection.peer
    let protocolName = connection.applicationProtocol ?? "-"
    return ByteStream(connection) { stream in
        guard try await stream.read() != nil else { return }
        let names = (peer?.uris ?? []) + (peer?.dnsNames ?? []) + (peer?.commonNames ?? [])
        try await stream.write(Array("peer \(names) \(protocolName)\n".utf8))
    }
}

/// The openssl command as client and Python's ssl as client, against our server.
@Suite struct TLSServerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var arguments: [String]
        /// What the client sees: our answer, or an alert.
        var client: String
        /// What we say of the end; nil for success.
        var server: String?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "good", arguments: ["-cert", "client.crt", "-key", "client.key"],
            client: "peer [\"spiffe://test/client\", \"client.test\", \"client\"] -"),
        Case(
            name: "protocol",
            arguments: ["-cert", "client.crt", "-key", "client.key", "-alpn", "h2,http/1.1"],
            client: "h2"),
        Case(
            name: "other protocol",
            arguments: ["-cert", "client.crt", "-key", "client.key", "-alpn", "spdy"],
            client: "alert no application protocol", server: "no application protocol"),
        Case(
            name: "no certificate", arguments: [], client: "alert certificate required",
            server: "certificate is refused: it has none"),
        Case(
            name: "expired", arguments: ["-cert", "old.crt", "-key", "old.key"],
            client: "alert certificate expired", server: "certificate has expired"),
        Case(
            name: "not yet valid", arguments: ["-cert", "early.crt", "-key", "early.key"],
            client: "alert bad certificate", server: "certificate is not yet valid"),
        Case(
            name: "unknown authority",
            arguments: ["-cert", "../other/client.crt", "-key", "../other/client.key"],
            client: "alert unknown ca", server: "unable to get local issuer certificate"),
        Case(
            name: "self-signed", arguments: ["-cert", "../other/ca.crt", "-key", "../other/ca.key"],
            client: "alert unknown ca", server: "self-signed certificate"),
        Case(
            name: "revoked", arguments: ["-cert", "revoked.crt", "-key", "revoked.key"],
            client: "alert certificate revoked", server: "certificate revoked"),
        Case(
            name: "denied by fingerprint", arguments: ["-cert", "denied.crt", "-key", "denied.key"],
            client: "alert certificate revoked", server: "certificate revoked"),
        Case(
            name: "a server's certificate", arguments: ["-cert", "wrong.crt", "-key", "wrong.key"],
            client: "alert unsupported certificate", server: "unsuitable certificate purpose"),
        Case(
            name: "a name with a zero byte", arguments: ["-cert", "zero.crt", "-key", "zero.key"],
            client: "verify return:1", server: "a name in its certificate is malformed"),
        Case(
            name: "TLS 1.2", arguments: ["-cert", "client.crt", "-key", "client.key", "-tls1_2"],
            client: "alert protocol version", server: "unsupported protocol"),
        Case(
            name: "TLS 1.1",
            arguments: [
                "-cert", "client.crt", "-key", "client.key", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0",
            ],
            client: "alert protocol version", server: "unsupported protocol"),
        Case(
            name: "TLS 1.0",
            arguments: [
                "-cert", "client.crt", "-key", "client.key", "-tls1", "-cipher", "DEFAULT@SECLEVEL=0",
            ],
            client: "alert protocol version", server: "unsupported protocol"),
    ]

    @Test func opensslClients() async throws {
        let tls = try await TestTLS.make()
        let other = try TestCA("other", in: tls.folder)
        try other.issue("client", san: "URI:spiffe://test/client")
        try tls.ca.issue("old", expired: true)
        try tls.ca.issue("early", early: true)
        try tls.ca.issue("revoked")
        try tls.ca.revoke("revoked")
        try tls.ca.issue("denied")
        try tls.ca.issue("wrong", usage: "serverAuth")
        try tls.ca.issue("zero", san: "DER:300a8208612e746573740062", rawSAN: true)
        var settings = tls.server
        settings.revocations = [.file(try tls.ca.revocationList())]
        settings.denied = [.fingerprint(try tls.fingerprint("denied"))]
        settings.applicationProtocols = ["h2", "http/1.1"]

        let loops = try TestLoops()
        let ends = Ends()
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: .tls(TLSContext(settings)),
            ended: { _, reason in ends.add(reason) }, handler: introduce)
        for (index, one) in Self.cases.enumerated() {
            let output = try await command(
                ["timeout", "60", "openssl", "s_client", "-connect", "127.0.0.1:\(listener.address.port)"]
                    + ["-CAfile", "ca.crt", "-servername", "server.test", "-quiet"] + one.arguments,
                input: Array("hello\n".utf8), folder: tls.ca.path)
            let seen = output.text + output.errorText
            #expect(seen.contains(one.client), "\(one.name): \(seen)")
            await eventually("\(one.name)") { ends.reasons.count == index + 1 }
            let reason = ends.reasons.last.map { "\($0)" } ?? ""
            if let server = one.server {
                #expect(reason.contains(server), "\(one.name)")
                #expect(!seen.contains("peer ["), "\(one.name)")
            } else {
                #expect(reason == "done" || reason.contains("cut"), "\(one.name)")
            }
        }
        await eventually { listener.connections == 0 }
    }

    @Test func olderVersionByName() async throws {
        let tls = try await TestTLS.make()
        var settings = tls.server
        settings.allowsTLS12 = true
        let loops = try TestLoops()
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: .tls(TLSContext(settings)),
            handler: introduce)
        let cases = [
            (["-tls1_2"], "peer ["),
            (["-tls1_2", "-cipher", "AES128-SHA"], "handshake failure"),
            (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], "handshake failure"),
            (["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "protocol version"),
        ]
        for (arguments, expected) in cases {
            let output = try await command(
                ["timeout", "60", "openssl", "s_client", "-connect", "127.0.0.1:\(listener.address.port)"]
                    + ["-CAfile", "ca.crt", "-quiet", "-cert", "client.crt", "-key", "client.key"]
                    + arguments,
                input: Array("hello\n".utf8), folder: tls.ca.path)
            let seen = output.text + output.errorText
            #expect(seen.contains(expected), "\(arguments): \(seen)")
        }
    }

    /// No ticket, no session, no renegotiation: nothing by which a later handshake could skip the certificate.
    @Test func nothingToResume() async throws {
        let tls = try await TestTLS.make()
        let loops = try TestLoops()
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: .tls(TLSContext(tls.server)),
            handler: introduce)
        let output = try await command(
            [
                "python3", "-c",
                """
                import socket, ssl, sys
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations("ca.crt")
                context.load_cert_chain("client.crt", "client.key")
                for turn in range(2):
                    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
                        with context.wrap_socket(plain, server_hostname="server.test",
                                                 session=None) as s:
                            s.sendall(b"x")
                            text = s.makefile("rb").read()
                            print(s.version(), s.compression(), s.session_reused,
                                  s.session.has_ticket if s.session else None, text.decode().split()[0])
                """, "\(listener.address.port)",
            ], folder: tls.ca.path)
        #expect(output.text == "TLSv1.3 None False False peer\nTLSv1.3 None False False peer\n")
    }
}
