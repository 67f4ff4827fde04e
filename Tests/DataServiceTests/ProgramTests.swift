// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Foundation
import Keyring
import Secrets
import Signatures
import SigningFarm
import Synchronization
import TestPeers
import TestSupport
import Testing

/// The real program on a real database, called by a client made from the `.proto`.
@Suite struct ProgramTests {
    static let farm = Task { try await SigningFarm() }
    private static let turn = Atomic(0)

    /// A data-server on the farm that all tests here share, keys that are this test's alone, and Python's stubs.
    struct Running {
        let farm: SigningFarm
        let stubs: PythonStubs
        let name: String
        let release: KeyRecord
        let modules: KeyRecord
        let server: RunningServer

        init(limits: String = "") async throws {
            let farm = try await ProgramTests.farm.value
            let number = ProgramTests.turn.add(1, ordering: .relaxed).newValue
            let name = "data-\(number)"
            (self.farm, self.name) = (farm, name)
            release = try await farm.addOpenPGP("release-\(number)", .ed25519)
            modules = try await farm.addModule("modules-\(number)")
            try await farm.grant([release], [.rpm, .generic], to: "spiffe://test/client")
            try await farm.grant([modules], [.module], to: "spiffe://test/client")
            let settings = try farm.settings(name, limits: limits)
            (stubs, server) = try await apart { (try PythonStubs(), try RunningServer(settings: settings)) }
        }

        func records() async throws -> [SignatureRecord] { try await farm.records(of: name) }

        func client(of server: RunningServer? = nil) throws -> PythonClient {
            try PythonClient(of: server ?? self.server, farm, stubs)
        }
    }

    @Test func signsRecordsAndEndsInGoodOrder() async throws {
        let running = try await Running()
        let client = try running.client()
        let generic = client.sign(running.release.name.text, "generic", ServiceTests.content)
        try #require(generic.count == 5 && generic[1] == "ok", "\(generic)")
        try ServiceTests.gpgvAccepts(Hex.decode(generic[2]), over: ServiceTests.content, running.release)
        let rpm = client.sign(running.release.name.text, "rpm", ServiceTests.header)
        try #require(rpm.count == 5 && rpm[1] == "ok", "\(rpm)")
        try ServiceTests.gpgvAccepts(Hex.decode(rpm[2]), over: ServiceTests.header, running.release)
        let module = client.sign(running.modules.name.text, "module", ServiceTests.module)
        try #require(module.count == 5 && module[1] == "ok", "\(module)")
        try ServiceTests.opensslAccepts(Hex.decode(module[2]), over: ServiceTests.module, running.modules)
        #expect(client.ask("health") == ["health", "SERVING"])
        let records = try await running.records()
        #expect(records.map(\.sequence) == [3, 2, 1])
        #expect(records.map { Hex.encode($0.draft.signature) } == [module[2], rpm[2], generic[2]])
        running.server.process.signal(SIGHUP)
        let later = client.sign(running.release.name.text, "generic", [1])
        try #require(later.count == 5 && later[1] == "ok", "\(later) \(running.server.process.errorText)")
        running.server.process.signal(SIGTERM)
        #expect(client.answer().prefix(2) == ["end", "UNAVAILABLE"])
        #expect(running.server.process.readLine() == nil)
    }

    @Test func aDisabledKeySignsNothingMore() async throws {
        let running = try await Running()
        let client = try running.client()
        #expect(client.sign(running.release.name.text, "generic", [1])[1] == "ok")
        try await running.farm.change(running.release, to: .disabled)
        #expect(client.sign(running.release.name.text, "generic", [2])[1] == "key-disabled")
        #expect(try await running.records().count == 1)
    }

    /// Whatever is killed, a signature that came has its record, with the same bytes.
    @Test(arguments: ["database", "data-server"]) func noSignatureWithoutItsRecord(_ victim: String)
        async throws
    {
        let running = try await Running(limits: "job_time = \"60s\"")
        let client = try running.client()
        #expect(client.sign(running.release.name.text, "generic", [1])[1] == "ok")
        var answers: [[String]] = []
        for _ in 0..<300 { client.companion.write("sign \(running.release.name) generic 0102") }
        for _ in 0..<20 { answers.append(client.answer()) }
        if victim == "database" {
            running.farm.database.crash()
            let database = running.farm.database
            try await apart { try database.start() }
            while answers.count < 300 { answers.append(client.answer()) }
            #expect(answers.allSatisfy { $0.count > 1 && $0[1] == "ok" }, "they wait within their time")
        } else {
            running.server.process.end()
            while let last = answers.last, last.first != "end", last.first != "ended" {
                answers.append(client.answer())
            }
        }
        let signatures = answers.filter { $0.count == 5 && $0[1] == "ok" }.map { $0[2] }
        let records = Set(try await running.records().map { Hex.encode($0.draft.signature) })
        #expect(signatures.count >= 20)
        #expect(Set(signatures).isSubset(of: records))
    }

    /// Settings that it does not start with, and what it says of them.
    static let unsafe: [(String, [String], String, String)] = [
        ("no certificate", [], "--set tls_cert=/nonexistent", "nonexistent"),
        ("dummy in production", [], "--set environment=production", "kms-not-for-production"),
        ("a wrong port", [], "--set data-server.server_port=70000", "setting-invalid"),
        ("memory that cannot be locked", ["prlimit", "--memlock=65536"], "", "memory-not-locked"),
    ]

    @Test func refusesToStartUnsafe() async throws {
        let settings = try await Self.farm.value.settings("data-unsafe")
        for (name, before, arguments, code) in Self.unsafe {
            // Root locks what it likes.
            let user =
                before.isEmpty || !Power.root.isThere
                ? [] : ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
            let output = try await apart {
                try Command.run(
                    before + user + [Products.path("data-server"), "--config", settings]
                        + arguments.split(separator: " ").map { String($0) })
            }
            #expect(output.status > 0, "\(name)")
            #expect(output.errorText.contains(code), "\(name): \(output.errorText)")
        }
    }

    /// Every line of the sample settings that shows a default shows the right one.
    @Test func theSampleShowsTheDefaults() throws {
        let sample = try String(contentsOfFile: Repository.path("config/data-server.toml"), encoding: .utf8)
        let lines = sample.split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
            guard line.hasPrefix("# "), let sign = line.firstIndex(of: "="),
                line.dropFirst(2).prefix(while: { $0 != " " }).allSatisfy({ $0.isLowercase || $0 == "_" }),
                line[..<sign].filter({ $0 == " " }).count == 2, !line.contains("tls_cert ="),
                !line.contains("tls_key ="), !line.contains("ca_root =")
            else { return line }
            return line.dropFirst(2)
        }
        let folder = try TemporaryFolder()
        func report(_ text: String) throws -> [String] {
            let path = try folder.write("data-server.toml", text)
            let output = try Command.check([
                Products.path("data-server"), "--check", "--config", path, "--set", "data-server.loops=3",
            ])
            return output.text.split(separator: "\n").map { String($0.prefix { $0 != "#" }) }
        }
        let shown = lines.joined(separator: "\n")
        #expect(shown.split(separator: "\n").count { !$0.hasPrefix("#") } > 40)
        #expect(try report(shown) == report(sample))
    }
}
