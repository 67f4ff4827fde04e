// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import TestSupport
import Testing
import Transport

/// Other people's clients against the server.
@Suite struct InteropTests {
    private func curl(_ desk: DeskServer, _ arguments: [String], _ path: String, https: Bool = false) throws
        -> String
    {
        let scheme = https ? "https://localhost" : "http://127.0.0.1"
        return try Command.check(
            ["curl", "--silent", "--show-error", "--max-time", "60"] + arguments + [
                "\(scheme):\(desk.port)\(path)"
            ]
        ).text
    }

    @Test(arguments: ["--http1.1", "--http2-prior-knowledge", "--http1.0"])
    func curl(_ version: String) throws {
        let desk = try DeskServer()
        func ask(_ arguments: [String], _ path: String) throws -> String {
            try curl(desk, [version] + arguments, path)
        }
        #expect(try ask([], "/notes/5") == "{\"id\":5,\"text\":\"note\"}")
        #expect(try ask(["--data-binary", "abc"], "/echo") == "abc")
        #expect(try ask([], "/stream/2000").utf8.count == 2_000_000)
        #expect(try ask(["--write-out", "%{http_code}", "--output", "/dev/null"], "/nowhere") == "404")
        let head = try ask(["--head"], "/notes/5").lowercased()
        #expect(head.contains("content-length: 22\r\n") && head.contains("etag: \"v5\""))
        let folder = try TemporaryFolder()
        let file = try folder.write("large", [UInt8](repeating: 0x61, count: 20_000_000))
        // Large enough for curl to ask with Expect: 100-continue.
        #expect(try ask(["--upload-file", file, "--request", "POST"], "/sum") == "20000000")
        // curl 7.88 cannot use an HTTP/2 connection with prior knowledge twice, whoever serves.
        let twice = ["--write-out", " %{num_connects}\n", "http://127.0.0.1:\(desk.port)/"]
        if version == "--http1.1" { #expect(try ask(twice, "/") == "root 1\nroot 0\n") }
        let chunks = ["--header", "Transfer-Encoding: chunked", "--data-binary", "@\(file)"]
        if version == "--http1.1" { #expect(try ask(chunks, "/sum") == "20000000") }
        // Whether it has an error to report as well is up to the version of curl.
        let refused = try Command.run([
            "curl", "--silent", version, "--write-out", " %{http_code}", "--data-binary", "@\(file)",
            "http://127.0.0.1:\(desk.port)/echo",
        ])
        #expect(refused.text.hasSuffix(" 413"), "\(refused.errorText)")
    }

    @Test func curlUpgradesNothing() throws {
        let desk = try DeskServer()
        #expect(try curl(desk, ["--http2", "--write-out", " %{http_version}"], "/") == "root 1.1")
    }

    @Test func httpClientOfPython() throws {
        let desk = try DeskServer()
        let output = try Command.python(
            """
            import email.utils, http.client, sys, time
            c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
            def ask(method, path, body=None, headers={}):
                c.request(method, path, body, headers)
                r = c.getresponse()
                return r.status, r.read(), r
            for i in range(100):
                status, body, r = ask("GET", f"/notes/{i}")
                assert status == 200 and b'"id":%d,' % i in body and r.getheader("etag") == f'"v{i}"', body
            date = r.getheader("date")
            seconds = email.utils.parsedate_to_datetime(date).timestamp()
            assert abs(seconds - time.time()) < 60 and email.utils.formatdate(seconds, usegmt=True) == date, date
            assert ask("HEAD", "/notes/5")[:2] == (200, b"")
            assert ask("POST", "/echo", b"abc")[1] == b"abc"
            assert ask("POST", "/echo", iter([b"ab", b"", b"c"]))[:2] == (200, b"abc")
            assert ask("POST", "/sum", (b"x" * 1000 for _ in range(5000)), {})[1] == b"5000000"
            assert len(ask("GET", "/stream/100")[1]) == 100000
            assert ask("DELETE", "/notes/5")[2].getheader("allow") == "GET, HEAD, OPTIONS, PUT"
            assert ask("POST", "/ignore", b"x" * 1000)[0] == 200
            assert ask("GET", "/")[1] == b"root"
            print("done")
            """, arguments: ["\(desk.port)"])
        #expect(output.text == "done\n")
    }

    @Test func h2load() throws {
        let desk = try DeskServer()
        let output = try Command.check([
            "h2load", "-n", "5000", "-c", "10", "-m", "20", "http://127.0.0.1:\(desk.port)/notes/5",
        ])
        #expect(
            output.text.contains("5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored"))
        #expect(output.text.contains("status codes: 5000 2xx"))
        let old = try Command.check([
            "h2load", "--h1", "-n", "5000", "-c", "10", "http://127.0.0.1:\(desk.port)/notes/5",
        ])
        #expect(old.text.contains("5000 succeeded, 0 failed, 0 errored"))
        let posted = try TemporaryFolder()
        let body = try posted.write("body", [UInt8](repeating: 0x61, count: 100_000))
        let posts = try Command.check([
            "h2load", "-n", "200", "-c", "4", "-m", "8", "-d", body, "http://127.0.0.1:\(desk.port)/sum",
        ])
        #expect(posts.text.contains("200 succeeded, 0 failed, 0 errored"))
    }

    @Test func wrk() throws {
        let desk = try DeskServer()
        let folder = try TemporaryFolder()
        // Sixteen requests at once on each connection.
        let script = try folder.write(
            "pipeline.lua",
            """
            init = function()
                local all = {}
                for i = 1, 16 do all[i] = wrk.format("GET", "/notes/" .. i) end
                many = table.concat(all)
            end
            request = function() return many end
            """)
        for extra in [[], ["-s", script]] {
            let output = try Command.check(
                ["wrk", "-t", "1", "-c", "8", "-d", "1s", "--timeout", "60s"] + extra + [
                    "http://127.0.0.1:\(desk.port)/notes/5"
                ])
            #expect(output.text.contains("requests in"))
            #expect(
                !output.text.contains("Non-2xx") && !output.text.contains("Socket errors"), "\(output.text)")
        }
    }

    // MARK: TLS

    @Test func overTLS() async throws {
        let authority = try Authority()
        var settings = authority.server
        settings.applicationProtocols = Server.applicationProtocols
        let desk = try DeskServer(security: .tls(try TLSContext(settings)))
        let own = [
            "--cacert", authority.file("ca.crt"), "--cert", authority.file("client.crt"), "--key",
            authority.file("client.key"),
        ]
        let answer = ["--write-out", " %{http_version}"]
        #expect(try curl(desk, own + answer, "/who", https: true) == "client.test 2")
        #expect(try curl(desk, own + answer + ["--http1.1"], "/who", https: true) == "client.test 1.1")
        #expect(try curl(desk, own + answer + ["--no-alpn"], "/who", https: true) == "client.test 1.1")
        let twice = ["--write-out", " %{num_connects}\n", "https://localhost:\(desk.port)/who"]
        #expect(try curl(desk, own + twice, "/who", https: true) == "client.test 1\nclient.test 0\n")
        let nobody = try Command.run([
            "curl", "--silent", "--cacert", authority.file("ca.crt"), "https://localhost:\(desk.port)/",
        ])
        #expect(nobody.status != 0)

        var client = authority.client
        let connector = Connector(security: .tls(try TLSContext(client)))
        let who = try await ClientTests.client(desk, connector, name: "localhost").send(
            ClientRequest(.get, "/who"))
        #expect(String(decoding: who.body, as: UTF8.self) == "client.test")

        client.pins = [try authority.publicKey("server")]
        let pinned = Connector(security: .tls(try TLSContext(client)))
        #expect(
            try await ClientTests.client(desk, pinned, name: "localhost").send(ClientRequest(.get, "/"))
                .status == .ok)
        client.pins = [try authority.publicKey("client")]
        let strict = Connector(security: .tls(try TLSContext(client)))
        let refused = await #expect(throws: TransportError.self) {
            try await ClientTests.client(desk, strict, name: "localhost").send(ClientRequest(.get, "/"))
        }
        #expect(refused?.code == .peerNotTrusted)
        let misnamed = await #expect(throws: TransportError.self) {
            try await ClientTests.client(desk, connector, name: "other.test").send(ClientRequest(.get, "/"))
        }
        #expect(misnamed?.code == .peerNotTrusted)
    }

    /// The server ends by itself, and the calls run on a loop: other tests' blocking commands cannot hold them up.
    @Test func clientAgainstPython() async throws {
        let script = """
            import http.server, json, os, sys
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                timeout = 20
                def log_message(self, *_): pass
                def do_POST(self):
                    body = self.rfile.read(int(self.headers["content-length"]))
                    answer = json.dumps({"id": len(body), "text": self.path}).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
            class Server(http.server.HTTPServer):
                address_family = __import__("socket").AF_UNIX
                timeout = 20
                def server_bind(self): self.socket.bind(self.server_address)
                def get_request(self): return self.socket.accept()[0], ("local", 0)
            server = Server(sys.argv[1] + ".new", Handler)
            os.rename(sys.argv[1] + ".new", sys.argv[1])
            server.handle_request()
            """
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let loops = try EventLoops(count: 1)
        defer { Self.stop(loops) }
        let calls = Task(executorPreference: loops.all[0]) {
            await eventually { FileManager.default.fileExists(atPath: path) }
            let client = Client(
                of: ClientService(.unix(path)), on: loops.all[0], connector: Connector(security: .plain))
            var notes: [Note] = []
            for count in [0, 1, 100_000] {
                let request = ClientRequest(.post, "/a%20b?c=d", body: [UInt8](repeating: 0x20, count: count))
                notes.append(try await client.send(request).json(Note.self))
            }
            client.close()
            return notes
        }
        try Command.python(script, arguments: [path])
        #expect(try await calls.value == [0, 1, 100_000].map { Note(id: $0, text: "/a%20b?c=d") })
    }

    private static func stop(_ loops: EventLoops) { loops.stop() }
}

/// A throw-away authority with the certificates of a server and a client.
struct Authority {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try Command.check(
            ["openssl", "req", "-x509"] + key + [
                "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ca",
            ]
                + ["-addext", "keyUsage=critical,keyCertSign,cRLSign"], folder: folder.path)
        for (name, names) in [("server", "DNS:localhost,IP:127.0.0.1"), ("client", "DNS:client.test")] {
            try folder.write("ext", "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=\(names)\n")
            try Command.check(
                ["openssl", "req"] + key + [
                    "-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)",
                ],
                folder: folder.path)
            try Command.check(
                [
                    "openssl", "x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                    "-CAcreateserial", "-out", "\(name).crt", "-extfile", "ext", "-days", "1",
                ], folder: folder.path)
        }
    }

    func file(_ name: String) -> String { folder.path + "/" + name }

    var server: TLSSettings {
        .server(
            certificates: .file(file("server.crt")), key: .file(file("server.key")),
            trust: .authorities(.file(file("ca.crt"))))
    }

    var client: TLSSettings {
        .client(
            trust: .authorities(.file(file("ca.crt"))), certificates: .file(file("client.crt")),
            key: .file(file("client.key")))
    }

    /// SHA-256 of a certificate's public key, by the openssl command.
    func publicKey(_ name: String) throws -> [UInt8] {
        let pem = try Command.check(["openssl", "x509", "-in", file(name + ".crt"), "-noout", "-pubkey"])
        let der = try Command.check(["openssl", "pkey", "-pubin", "-outform", "DER"], input: pem.stdout)
        return try Command.check(["openssl", "dgst", "-sha256", "-binary"], input: der.stdout).stdout
    }
}
