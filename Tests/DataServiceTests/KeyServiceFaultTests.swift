// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import KMS
import Keyring
import Settings
import Signatures
import TestPeers
import TestSupport
import Testing

@testable import DataService

/// A data-server whose key service is a Vault, which is away in one way after the other.
@Suite struct KeyServiceFaultTests {
    private final class Vault: Sendable {
        let service: Companion
        let folder: TemporaryFolder
        let port: String

        init(_ folder: TemporaryFolder, port: String? = nil) throws {
            self.folder = folder
            if port == nil {
                try TestCA("vault", in: folder).issue("server", san: "IP:127.0.0.1")
            }
            service = try Companion(python: "vault.py", [folder.path + "/vault"] + (port.map { [$0] } ?? []))
            guard let line = service.readLine() else { throw Away(message: service.errorText) }
            self.port = line
        }

        func play(_ line: String) {
            service.write(line)
            _ = service.readLine()
        }

        func open() throws -> any KeyWrapping {
            let text = """
                [memory.kms-provider]
                type = "vault"
                address = "https://127.0.0.1:\(port)"
                ca_root = "\(folder.path)/vault/ca.crt"
                key = "signet"
                token_file = "\(folder.path)/vault/token"
                deadline = "1s"
                """
            let sources = SettingsSources(
                files: [try SettingsFile(path: folder.path + "/s.toml", contents: Array(text.utf8))])
            return try sources.read { ProviderSettings.read($0.section("memory").section("kms-provider")) }
                .value.open(in: .production, log: Stand.silentLog())
        }
    }

    private enum Fault: String, CaseIterable {
        case sealed, slow, limited = "limited 1000", wrong = "wrong html", gone
    }

    /// Keys in memory sign on; those that are not wait, and are signed with when the service is there again.
    @Test(arguments: Fault.allCases)
    private func warmKeysSignOnAndColdOnesWait(_ fault: Fault) async throws {
        let folder = try TemporaryFolder()
        let vault = try await apart { try Vault(folder) }
        let stand = try await Stand.make(limits: "job_time = \"60s\"", wrappedBy: vault.open())
        let (warm, cold) = try (stand.client(), stand.client("other"))
        #expect(warm.sign("release", "generic", [1])[1] == "ok")
        let module = ServiceTests.module
        #expect(warm.sign("modules", "module", module)[1] == "ok")

        let other = try await stand.farm.addCluster()
        let asleep = try Stand.addOpenPGP("asleep", .ed25519, to: stand.farm)
        try stand.farm.grant([asleep], kinds: [.generic], to: "spiffe://test/other", of: stand.authority)
        try stand.farm.move(asleep.id, to: other)
        if fault == .gone { vault.service.end() } else { vault.play(fault.rawValue) }

        cold.companion.write("sign asleep generic 02")
        for number in UInt8(0)..<20 {
            #expect(warm.sign("release", "generic", [3, number])[1] == "ok")
            #expect(cold.companion.identifier > 0)
        }
        // The one that waits has no record: nothing was signed for it.
        #expect(stand.farm.records.allSatisfy { $0.draft.ruling.key != asleep.id })
        let again = try fault == .gone ? Vault(folder, port: vault.port) : vault
        if fault == .limited { again.play("limited 0") }
        again.play("good")
        let answer = cold.answer()
        #expect(answer[1] == "ok", "\(answer)")
        #expect(stand.farm.records.contains { $0.draft.ruling.key == asleep.id })
        await stand.stop()
    }

    /// Who cannot wait that long is told when to come again.
    @Test func aColdKeyIsRefusedWithAHintAtTheDeadline() async throws {
        let folder = try TemporaryFolder()
        let vault = try await apart { try Vault(folder) }
        let stand = try await Stand.make(limits: "job_time = \"1s\"", wrappedBy: vault.open())
        let client = try stand.client()
        #expect(client.sign("release", "generic", [1])[1] == "ok")
        let other = try await stand.farm.addCluster()
        try stand.farm.move(stand.module.id, to: other)
        vault.play("sealed")
        let refused = client.sign("modules", "module", ServiceTests.module)
        #expect(refused[1] == "keys-away" && refused[2] != "-", "\(refused)")
        #expect(client.sign("release", "generic", [2])[1] == "ok")
        await stand.stop()
    }
}
