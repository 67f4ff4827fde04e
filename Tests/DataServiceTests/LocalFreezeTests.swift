// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Glibc
import Keyring
import SigningFarm
import TestPeers
import TestSupport
import Testing

@testable import DataService

/// Signing stopped by root on the server's own machine: no database is needed, and a restart does not end it.
@Suite struct LocalFreezeTests {
    // MARK: The file

    @Test(arguments: [
        ("", LocalFreeze.Orders()), ("all\n", LocalFreeze.Orders(all: true)),
        ("all\nkey modules\nkey release\n", LocalFreeze.Orders(all: true, keys: ["modules", "release"])),
        ("all", nil), ("everything\n", nil), ("key \n", nil), ("\n", nil), ("key release", nil),
    ])
    func readsWhatItWrites(_ text: String, _ orders: LocalFreeze.Orders?) {
        #expect(LocalFreeze.Orders(text) == orders)
        if let orders { #expect(orders.text == text) }
    }

    @Test func keepsOrdersBeyondARestart() throws {
        let log = try Stand.silentLog()
        let folder = try TemporaryFolder()
        let freeze = try LocalFreeze(folder: folder.path, log)
        #expect(freeze.orders.isEmpty)
        try freeze.change(log) { $0.keys = ["release"] }
        try freeze.change(log) { $0.all = true }
        #expect(throws: DataServiceError.self) { try freeze.check() }
        #expect(try LocalFreeze(folder: folder.path, log).orders == .init(all: true, keys: ["release"]))
        try freeze.change(log) { $0 = .init() }
        #expect(try LocalFreeze(folder: folder.path, log).orders.isEmpty)
    }

    @Test(arguments: ["al", "key", "\u{0}", "key release"]) func aDamagedFileStopsEverything(_ text: String)
        throws
    {
        let folder = try TemporaryFolder()
        try folder.write("frozen", text)
        #expect(try LocalFreeze(folder: folder.path, Stand.silentLog()).orders.all)
    }

    /// What cannot be kept is no order that is taken as done, and stops signing all the same.
    @Test func anOrderThatCannotBeWrittenIsAnError() throws {
        let log = try Stand.silentLog()
        let folder = try TemporaryFolder()
        let freeze = try LocalFreeze(folder: folder.path, log)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/frozen.new", withIntermediateDirectories: false)
        #expect(throws: DataServiceError.self) { try freeze.change(log) { $0.all = true } }
        #expect(freeze.orders.all)
        try FileManager.default.removeItem(atPath: folder.path + "/frozen.new")
        try freeze.change(log) { $0.keys = ["release"] }
        try FileManager.default.createDirectory(
            atPath: folder.path + "/frozen.new", withIntermediateDirectories: false)
        #expect(throws: DataServiceError.self) { try freeze.change(log) { $0 = .init() } }
        #expect(freeze.orders == .init(all: true, keys: ["release"]))
    }

    @Test func aFolderOfOthersIsRefused() throws {
        let folder = try TemporaryFolder()
        unsafe chmod(folder.path, 0o777)
        #expect(throws: DataServiceError.self) { try LocalFreeze(folder: folder.path, Stand.silentLog()) }
        #expect(throws: DataServiceError.self) {
            try LocalFreeze(folder: folder.path + "/none", Stand.silentLog())
        }
    }

    // MARK: The program

    /// A server with a folder for orders, and what it takes to give some.
    private struct Local {
        let running: ProgramTests.Running
        let folder: TemporaryFolder
        let settings: String
        let server: RunningServer

        init() async throws {
            running = try await ProgramTests.Running()
            let folder = try TemporaryFolder()
            let settings = try running.farm.settings(
                running.name + "-local", lines: "local_folder = \"\(folder.path)\"")
            (self.folder, self.settings) = (folder, settings)
            server = try await apart { try RunningServer(settings: settings) }
        }

        func order(_ words: String...) async throws -> Command.Output {
            try await apart { [settings] in
                try Command.run([Products.path("data-server")] + words + ["--config", settings])
            }
        }

        func client(of server: RunningServer? = nil) throws -> PythonClient {
            try PythonClient(of: server ?? self.server, running.farm, running.stubs)
        }
    }

    @Test func worksWithoutTheDatabaseAndBeyondARestart() async throws {
        let local = try await Local()
        let (client, key) = (try local.client(), local.running.release.name.text)
        #expect(client.sign(key, "generic", [1])[1] == "ok")
        let database = local.running.farm.database
        database.crash()
        let frozen = try await local.order("freeze")
        #expect(frozen.status == 0 && frozen.text == "all signing is frozen here\n", "\(frozen.errorText)")
        // At once, not when the job's time is over.
        #expect(client.sign(key, "generic", [2])[1] == "signing-frozen")
        try await apart { try database.start() }
        #expect(client.sign(key, "generic", [3])[1] == "signing-frozen")
        local.server.process.end()

        let again = try await apart { [settings = local.settings] in try RunningServer(settings: settings) }
        let other = try local.client(of: again)
        #expect(other.sign(key, "generic", [4])[1] == "signing-frozen")
        let narrower = try await local.order("freeze", "--key", key)
        #expect(narrower.text == "all signing is frozen here\nsigning with \(key) is frozen here\n")
        #expect(try await local.order("thaw").text == "signing with \(key) is frozen here\n")
        #expect(other.sign(key, "generic", [5])[1] == "signing-frozen")
        #expect(other.sign(local.running.modules.name.text, "module", ServiceTests.module)[1] == "ok")
        #expect(try await local.order("thaw", "--key", key).text == "nothing is frozen here\n")
        #expect(other.sign(key, "generic", [6])[1] == "ok")
        let nothing = try await local.order("thaw")
        #expect(nothing.status == 4 && nothing.errorText.contains("freeze-not-found"))
        #expect(try await local.order("frozen").text == "nothing is frozen here\n")
    }

    /// Whoever gets past the modes of folder and socket is turned away by what the kernel says of him.
    @Test(.needs(.otherUsers)) func onlyRootGivesOrders() async throws {
        let local = try await Local()
        let socket = local.folder.path + "/socket"
        #expect(try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int == 0o600)
        unsafe chmod(socket, 0o777)
        var path = local.folder.path
        while path.count > 1 {
            unsafe chmod(path, 0o755)
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
        let call = [
            "curl", "-sS", "--max-time", "10", "--unix-socket", socket, "-H",
            "content-type: application/json",
            "-d", "{}", "http://localhost/freeze",
        ]
        let other = try await apart {
            try Command.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + call)
        }
        #expect(other.status != 0 && other.text.isEmpty, "\(other.text)")
        #expect(try await local.order("frozen").text == "nothing is frozen here\n")
        #expect(try await apart { try Command.check(call) }.text == #"{"all":true,"keys":[]}"#)
    }

    @Test func aServerWithoutAFolderTakesNoOrders() async throws {
        let settings = try await ProgramTests.farm.value.settings("data-without")
        let output = try await apart {
            try Command.run([Products.path("data-server"), "freeze", "--config", settings])
        }
        #expect(output.status == 2 && output.errorText.contains("local_folder"))
    }
}
