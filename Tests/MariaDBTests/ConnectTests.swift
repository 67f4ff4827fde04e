// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import MariaDB
import TestSupport
import Testing

/// Who may come in, and whom we believe: passwords, their files, and TLS with a CA that openssl makes here.
@Suite(.serialized) struct ConnectTests {
    private struct Setup {
        var server: DatabaseServer
        var files: TemporaryFolder
    }

    private static let shared = Result { () throws -> Setup in
        let files = try TemporaryFolder()
        for authority in ["good", "other"] {
            try Command.check([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=\(authority) test CA", "-keyout",
                "\(files.path)/\(authority).key",
                "-out", "\(files.path)/\(authority).pem",
            ])
        }
        try files.write("server.cnf", "subjectAltName=IP:127.0.0.1,DNS:db.test\n")
        try Command.check([
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=db.test", "-keyout", "\(files.path)/server.key", "-out", "\(files.path)/server.csr",
        ])
        try Command.check([
            "openssl", "x509", "-req", "-in", "\(files.path)/server.csr", "-CA", "\(files.path)/good.pem",
            "-CAkey",
            "\(files.path)/good.key", "-days", "2", "-extfile", "\(files.path)/server.cnf", "-out",
            "\(files.path)/server.pem",
        ])
        let server = try DatabaseServer(options: [
            "--ssl-cert=\(files.path)/server.pem", "--ssl-key=\(files.path)/server.key",
        ])
        return Setup(server: server, files: files)
    }

    private let server: DatabaseServer
    private let files: TemporaryFolder
    private let settings: DatabaseSettings

    init() throws {
        let setup = try Self.shared.get()
        (server, files) = (setup.server, setup.files)
        var settings = DatabaseFixture.settings(server)
        settings.servers = [.address(host: "127.0.0.1", port: server.port)]
        self.settings = settings
    }

    private func failure(_ settings: DatabaseSettings) -> DatabaseError? {
        #expect(throws: DatabaseError.self) { _ = try DatabaseConnection.open(settings) }
    }

    @Test func aServerWithACertificateOfOurAuthorityIsBelieved() throws {
        var settings = settings
        settings.tls = .required(authorities: files.path + "/good.pem")
        let connection = try DatabaseConnection.open(settings)
        #expect(connection.isEncrypted)
        let version = try connection.execute("SHOW STATUS LIKE 'Ssl_version'").onlyRow()?.text("Value")
        #expect(version == "TLSv1.3" || version == "TLSv1.2")
    }

    @Test func anotherAuthorityIsNot() throws {
        var settings = settings
        settings.tls = .required(authorities: files.path + "/other.pem")
        let error = failure(settings)
        #expect(error?.kind == .tls)
        #expect(error?.code.id == "database-tls")
    }

    @Test func anotherNameIsNot() throws {
        var settings = settings
        settings.servers = [.address(host: "localhost", port: server.port)]
        settings.tls = .required(authorities: files.path + "/good.pem")
        #expect(failure(settings)?.kind == .tls)
    }

    @Test func aServerWithoutTLSIsNot() throws {
        let plain = try DatabaseFixture.server.get()
        var settings = DatabaseFixture.settings(plain)
        settings.servers = [.address(host: "127.0.0.1", port: plain.port)]
        #expect(try !DatabaseConnection.open(settings).isEncrypted)
        settings.tls = .required(authorities: files.path + "/good.pem")
        let error = #expect(throws: DatabaseError.self) { _ = try DatabaseConnection.open(settings) }
        #expect(error?.kind == .tls)
    }

    @Test func aMissingAuthorityFileIsASettingsError() {
        var settings = settings
        settings.tls = .required(authorities: files.path + "/nothing.pem")
        let error = failure(settings)
        #expect(error?.kind == .settings)
        #expect(error?.message.contains("nothing.pem") == true)
    }

    @Test func aHungServerBehindTLSIsLeftAtTheDeadline() throws {
        var settings = settings
        settings.tls = .required(authorities: files.path + "/good.pem")
        settings.statementDeadline = .milliseconds(300)
        let connection = try DatabaseConnection.open(settings)
        server.freeze()
        defer { server.thaw() }
        let start = ContinuousClock.now
        #expect(kind { try connection.execute("SELECT 1") } == .deadline)
        #expect(connection.isBroken)
        settings.connectTimeout = .milliseconds(300)
        #expect(failure(settings)?.kind == .cannotConnect)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    /// Python stands between, passes the server's greeting on and then says nothing more.
    @Test func silenceInTheMiddleOfTheHandshakeEndsAtTheTimeLimit() throws {
        let relay = Process()
        relay.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        relay.arguments = [
            "-c",
            """
            import socket, sys
            listener = socket.create_server(("127.0.0.1", 0))
            print(listener.getsockname()[1], flush=True)
            client, _ = listener.accept()
            client.sendall(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(4096))
            sys.stdin.read()
            """, "\(server.port)",
        ]
        let (input, output) = (Pipe(), Pipe())
        relay.standardInput = input
        relay.standardOutput = output
        try relay.run()
        defer {
            try? input.fileHandleForWriting.close()
            relay.waitUntilExit()
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(UInt16(line.trimmingCharacters(in: .newlines)))
        var settings = settings
        settings.servers = [.address(host: "127.0.0.1", port: port)]
        settings.tls = .required(authorities: files.path + "/good.pem")
        settings.connectTimeout = .milliseconds(300)
        let start = ContinuousClock.now
        #expect(failure(settings)?.kind == .cannotConnect)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func aWrongPasswordIsDeniedWithoutNamingIt() async throws {
        var settings = settings
        settings.passwordFile = try files.write("wrong", "not the password\n")
        let error = failure(settings)
        #expect(error?.kind == .denied)
        #expect(error?.number == 1045)
        #expect(error?.message.contains("signet") == true)
        #expect(error.debugDescription.contains("not the password") == false)
        let pool = try DatabasePool(settings)
        await expect(kind(.denied)) { try await pool.run(deadline: .now + .seconds(20)) { _ in } }
        await pool.close()
        settings.passwordFile = nil
        #expect(failure(settings)?.kind == .denied)
    }

    @Test func anUnknownDatabaseIsDenied() {
        var settings = settings
        settings.database = "nothing"
        #expect(failure(settings)?.kind == .denied)
    }

    @Test(arguments: [
        ("others may read it", "unspoken\n", 0o644, "chmod 0600"),
        ("the group may read it", "unspoken\n", 0o640, "chmod 0600"),
        ("two lines", "unspoken\nmore\n", 0o600, "more than one line"),
        ("empty", "", 0o600, "empty"),
        ("too long", String(repeating: "x", count: 2000), 0o600, "more than the limit"),
    ])
    func passwordFilesAreJudged(_ name: String, _ text: String, _ mode: Int, _ words: String) throws {
        var settings = settings
        settings.passwordFile = try files.write("judged", text, mode: mode)
        let error = #expect(throws: (any Error).self) { _ = try DatabaseConnection.open(settings) }
        #expect("\(error as Any)".contains(words), "\(error as Any)")
        #expect("\(error as Any)".contains("unspoken") == false)
    }

    @Test func aPasswordOfManyKindsOfCharactersWorks() throws {
        var settings = settings
        let password = "p ä'\"\\#`ü€"
        try server.sql(
            "CREATE OR REPLACE USER odd@'%' IDENTIFIED BY 'p ä\\'\"\\\\#`ü€'; GRANT ALL ON signet.* TO odd@'%'"
        )
        settings.user = "odd"
        settings.passwordFile = try files.write("odd", password + "\n")
        #expect(try DatabaseConnection.open(settings).serverVersion.contains("MariaDB"))
    }
}
