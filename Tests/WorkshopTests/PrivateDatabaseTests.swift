// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Testing

/// `Scripts/mariadb` on a folder whose path is too long for a unix socket.
@Suite struct PrivateDatabaseTests {
    /// A server that goes away with the test, whatever its outcome.
    final class Server {
        let scratch = try? TemporaryFolder()
        var folder: String { (scratch?.path ?? "") + "/" + String(repeating: "deep/", count: 30) + "db" }

        func call(_ verb: String) throws -> Command.Output {
            try Command.run(["bash", Repository.path("Scripts/mariadb"), verb, folder])
        }

        func text(_ file: String) throws -> String {
            try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        func query(_ arguments: [String]) throws -> Command.Output {
            try Command.run(["mariadb"] + arguments + ["-N", "-B", "-e", "SELECT CURRENT_USER(), @@port"])
        }

        deinit { _ = try? call("stop") }
    }

    @Test func startsStopsAndKeepsItsSecrets() throws {
        let server = Server()
        let start = try server.call("start")
        try #require(start.status == 0, "\(start.errorText)")
        let pid = try server.text("pid")
        let port = try server.text("port")
        #expect(try server.text("socket").utf8.count <= 107)
        for file in try FileManager.default.contentsOfDirectory(atPath: server.folder) where file != "data" {
            let attributes = try FileManager.default.attributesOfItem(atPath: server.folder + "/" + file)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }

        let tcp = ["--no-defaults", "--host=127.0.0.1", "--port=" + port]
        let password = "--password=" + (try server.text("signet.password"))
        #expect(try server.query(tcp + ["--user=signet", password]).text == "signet@127.0.0.1\t\(port)\n")
        #expect(try server.query(tcp + ["--user=root"]).status != 0, "root without a password")
        let socket = ["--no-defaults", "--socket=" + (try server.text("socket"))]
        #expect(try server.query(socket + ["--user=root"]).status != 0, "root without a password")
        for user in ["root", "signet"] {
            let defaults = "--defaults-file=\(server.folder)/\(user).cnf"
            #expect(try server.query([defaults]).text == "\(user)@localhost\t\(port)\n")
        }

        #expect(try server.call("start").status == 0)
        #expect(try server.text("pid") == pid, "a second start left the server alone")

        // Killed, and its port taken by somebody else meanwhile: the next start mends both.
        kill(try #require(pid_t(pid)), SIGKILL)
        let stranger = try Listener(port: try #require(UInt16(port)))
        #expect(try server.call("start").status == 0)
        #expect(try server.text("port") != port)
        withExtendedLifetime(stranger) {}

        let second = try server.text("pid")
        let folder = URL(fileURLWithPath: try server.text("socket")).deletingLastPathComponent().path
        #expect(try server.call("stop").status == 0)
        let state = try? String(contentsOfFile: "/proc/\(second)/status", encoding: .utf8)
        #expect(state?.contains("State:\tZ") ?? true, "it runs on")
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(try server.call("stop").status == 0)
    }

    /// A socket that holds a port of 127.0.0.1.
    final class Listener {
        let descriptor: Int32

        /// Waits until whoever had the port is gone.
        init(port: UInt16) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var yes: Int32 = 1
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let deadline = ContinuousClock.now + .seconds(10)
            while true {
                let bound = unsafe withUnsafePointer(to: &address) {
                    unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                if bound == 0, listen(descriptor, 1) == 0 { return }
                try #require(ContinuousClock.now < deadline, "port \(port): \(errno)")
                usleep(10_000)
            }
        }

        deinit { close(descriptor) }
    }
}
