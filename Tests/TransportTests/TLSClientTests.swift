// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestPeers
import TestSupport
import Testing
import Transport

/// A server in Python that echoes until the end, for one connection after the other.
final class PythonServer {
    private let process = Process()
    let port: UInt16

    /// `setup` is Python that may use `context`.
    init(folder: String, setup: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.arguments = [
            "python3", "-c",
            """
            import socket, ssl, sys, threading
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            \(setup)
            listener = socket.create_server(("127.0.0.1", 0))
            print(listener.getsockname()[1], flush=True)
            def serve(plain):
                try:
                    with context.wrap_socket(plain, server_side=True) as s:
                        while data := s.recv(65536):
                            s.sendall(data)
                        s.unwrap()
                except OSError as e:
                    print(e, flush=True)
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
            """,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while !line.hasSuffix("\n"), let byte = try output.fileHandleForReading.read(upToCount: 1),
            !byte.isEmpty
        {
            line += String(decoding: byte, as: UTF8.self)
        }
        guard let port = UInt16(line.dropLast()) else { throw CocoaError(.fileReadUnknown) }
        self.port = port
    }

    deinit { kill(process.processIdentifier, SIGKILL) }
}

/// Our client against Python's ssl as server.
@Suite struct TLSClientTests {
    @Test func pythonServers() async throws {
        let tls = try await TestTLS.make()
        try tls.ca.issue("old", san: "DNS:server.test", expired: true)
        try tls.ca.issue("early", san: "DNS:server.test", early: true)
        try tls.ca.issue("wrong", san: "DNS:server.test", usage: "clientAuth")
        try tls.ca.issue("wild", san: "DNS:*.server.test")
        try tls.ca.issue("named", subject: "/CN=server.test")
        let other = try TestCA("other", in: tls.folder)
        let loops = try TestLoops()
        let folder = tls.ca.path

        func setup(_ name: String, mutual: Bool = true, _ more: String = "pass") -> String {
            """
            context.load_cert_chain("\(name).crt", "\(name).key")
            context.load_verify_locations("ca.crt")
            context.verify_mode = ssl.\(mutual ? "CERT_REQUIRED" : "CERT_NONE")
            \(more)
            """
        }
        func attempt(
            _ server: PythonServer, _ settings: TLSSettings, name: String? = "server.test"
        ) async throws -> String {
            let connector = Connector(security: .tls(try TLSContext(settings)))
            do {
                let bytes = [UInt8]("hello".utf8)
                let back = try await exchange(
                    bytes, with: .host("127.0.0.1", port: server.port), connector, on: loops.loops.all[0],
                    serverName: name)
                return String(decoding: back, as: UTF8.self)
            } catch {
                return "\(error)"
            }
        }

        let good = try PythonServer(folder: folder, setup: setup("server"))
        #expect(try await attempt(good, tls.client()) == "hello")
        #expect(
            try await attempt(good, tls.client(), name: nil) == "hello", "the address is in the certificate")
        #expect(try await attempt(good, tls.client(), name: "other.test").contains("hostname mismatch"))
        #expect(try await attempt(good, tls.client(), name: "127.0.0.2").contains("IP address mismatch"))
        let anonymous = TLSSettings.client(trust: .authorities(.file(tls.ca.certificate)))
        #expect(try await attempt(good, anonymous).contains("certificate required"))
        let foreign = TLSSettings.client(trust: .authorities(.file(other.certificate)))
        #expect(try await attempt(good, foreign).contains("self-signed certificate in certificate chain"))

        var pinned = tls.client()
        pinned.pins = [try tls.publicKeyFingerprint("server")]
        #expect(try await attempt(good, pinned) == "hello")
        pinned.pins = [try tls.publicKeyFingerprint("client")]
        #expect(try await attempt(good, pinned).contains("peer's certificate is refused"))

        let old = try PythonServer(folder: folder, setup: setup("old"))
        #expect(try await attempt(old, tls.client()).contains("certificate has expired"))
        let early = try PythonServer(folder: folder, setup: setup("early"))
        #expect(try await attempt(early, tls.client()).contains("certificate is not yet valid"))
        let wrong = try PythonServer(folder: folder, setup: setup("wrong"))
        #expect(try await attempt(wrong, tls.client()).contains("unsuitable certificate purpose"))
        let named = try PythonServer(folder: folder, setup: setup("named"))
        #expect(
            try await attempt(named, tls.client()).contains("hostname mismatch"),
            "a common name is no host name")
        let wild = try PythonServer(folder: folder, setup: setup("wild"))
        #expect(try await attempt(wild, tls.client(), name: "a.server.test") == "hello")
        #expect(try await attempt(wild, tls.client(), name: "a.b.server.test").contains("hostname mismatch"))
        let older = try PythonServer(
            folder: folder, setup: setup("server", "context.maximum_version = ssl.TLSVersion.TLSv1_2"))
        #expect(try await attempt(older, tls.client()).contains("protocol version"))
        var lenient = tls.client()
        lenient.allowsTLS12 = true
        #expect(try await attempt(older, lenient) == "hello")
        let oldest = try PythonServer(
            folder: folder,
            setup: setup(
                "server",
                """
                context.set_ciphers("DEFAULT@SECLEVEL=0")
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
                """))
        #expect(try await attempt(oldest, lenient).contains("protocol version"))
        let alone = try PythonServer(
            folder: folder + "/../other", setup: setup("ca", mutual: false))
        #expect(try await attempt(alone, tls.client()).contains("self-signed certificate"))

        try tls.ca.issue("revoked", san: "DNS:server.test")
        try tls.ca.revoke("revoked")
        let revoked = try PythonServer(folder: folder, setup: setup("revoked"))
        #expect(try await attempt(revoked, tls.client()) == "hello")
        var strict = tls.client()
        strict.revocations = [.file(try tls.ca.revocationList())]
        #expect(try await attempt(revoked, strict).contains("certificate revoked"))
        #expect(try await attempt(good, strict) == "hello")
    }

    @Test func missingMaterial() async throws {
        let tls = try await TestTLS.make()
        let trust = TLSSettings.Trust.authorities(.file(tls.ca.certificate))
        let certificate = TLSSettings.PEM.file(tls.file("server.crt"))
        let key = TLSSettings.Key.file(tls.file("server.key"))
        let exposed = try tls.folder.write(
            "exposed", String(contentsOfFile: tls.file("server.key"), encoding: .utf8), mode: 0o644)
        let strange = try tls.folder.write("strange", "not PEM")
        let cases: [(String, TLSSettings, String)] = [
            ("no certificate", .server(certificates: nil, key: key, trust: trust), "tls-material-missing"),
            ("no key", .server(certificates: certificate, key: nil, trust: trust), "tls-material-missing"),
            ("no trust", .server(certificates: certificate, key: key, trust: nil), "tls-material-missing"),
            ("client without trust", .client(trust: nil), "tls-material-missing"),
            ("client without key", .client(trust: trust, certificates: certificate), "tls-material-missing"),
            (
                "no file", .server(certificates: .file("/nowhere"), key: key, trust: trust),
                "tls-material-missing"
            ),
            (
                "no key file", .server(certificates: certificate, key: .file("/nowhere"), trust: trust),
                "secret-file-unreadable"
            ),
            (
                "exposed key file", .server(certificates: certificate, key: .file(exposed), trust: trust),
                "secret-file-exposed"
            ),
            ("no PEM", .server(certificates: .file(strange), key: key, trust: trust), "tls-material-invalid"),
            (
                "no PEM trust", .server(certificates: certificate, key: key, trust: .authorities(.text(""))),
                "tls-material-invalid"
            ),
            (
                "another key",
                .server(certificates: certificate, key: .file(tls.file("client.key")), trust: trust),
                "tls-material-invalid"
            ),
        ]
        for (name, settings, code) in cases {
            let error = #expect(throws: (any Error).self, "\(name)") { try TLSContext(settings) }
            #expect((error as? any CodedError)?.code.id == code, "\(name): \(error as Any)")
        }
        var open = TLSSettings.server(certificates: certificate, key: key, trust: nil)
        open.clients = .anonymous
        _ = try TLSContext(open)
    }
}
