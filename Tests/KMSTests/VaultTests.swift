// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import KMS
import Keyring
import MemoryScan
import Secrets
import TestPeers
import TestSupport
import Testing

@Suite struct VaultTests {
    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch { return (error as? any CodedError)?.code ?? .internalError }
    }

    /// What wrap, unwrap and health meet.
    private func codes(_ kms: any KeyWrapping, _ wrapped: WrappedSecret) async throws -> [ErrorCode?] {
        let secret = try SecretBytes(randomCount: 32)
        return [
            await code { _ = try await kms.wrap(secret, associatedData: [1]) },
            await code { _ = try await kms.unwrap(wrapped, associatedData: [1]) },
            await code { try await kms.checkHealth() },
        ]
    }

    private func stand() async throws -> VaultStandIn {
        let folder = try TemporaryFolder()
        return try await apart { try VaultStandIn(folder) }
    }

    private func wrapped(_ kms: any KeyWrapping) async throws -> WrappedSecret {
        try await kms.wrap(try SecretBytes(randomCount: 32), associatedData: [1])
    }

    @Test func keyAndVersionAreTold() async throws {
        let vault = try await stand()
        let kms = try vault.open { $0.namespace = "teams/farm" }
        let secret = try SecretBytes(randomCount: 32)
        let first = try await kms.wrap(secret, associatedData: [1])
        #expect(first.key == "teams/farm/transit/signet" && first.version == "1")
        try vault.play("rotate")
        let second = try await kms.wrap(secret, associatedData: [1])
        #expect(second.version == "2")
        for wrapped in [first, second] {
            let isSame = try await kms.unwrap(wrapped, associatedData: [1]).isEqualInConstantTime(to: secret)
            #expect(isSame)
        }
        // Each version is bound: a blob of one says nothing under the other.
        let moved = WrappedSecret(key: first.key, version: "2", ciphertext: first.ciphertext)
        #expect(await code { _ = try await kms.unwrap(moved, associatedData: [1]) } == .kmsRefused)
        try await kms.checkHealth()
        // Health is asked outside of the namespace.
        #expect(try vault.play("calls").namespaces == ["", "teams/farm"])
        let elsewhere = try vault.open { $0.namespace = "teams/other" }
        #expect(await code { try await elsewhere.checkHealth() } == .kmsKeyUnusable)
        #expect(
            await code { _ = try await vault.open().unwrap(first, associatedData: [1]) } == .kmsKeyUnusable)
    }

    @Test func sealedAndSlowAreAway() async throws {
        let vault = try await stand()
        let wrapped = try await wrapped(vault.open())
        let kms = try vault.open { $0.deadline = .milliseconds(500) }
        try vault.play("sealed")
        #expect(try await codes(kms, wrapped) == [.kmsUnavailable, .kmsUnavailable, .kmsUnavailable])
        try vault.play("slow")
        let other = try vault.open { $0.deadline = .milliseconds(500) }
        #expect(try await codes(other, wrapped) == [.kmsUnavailable, .kmsUnavailable, .kmsUnavailable])
        // And there again: the breaker's rest is over soon.
        try vault.play("good")
        await eventually { await code { try await kms.checkHealth() } == nil }
        vault.end()
        #expect(try await codes(other, wrapped) == [.kmsUnavailable, .kmsUnavailable, .kmsUnavailable])
    }

    @Test func whoAsksForFewerCallsGetsThem() async throws {
        let vault = try await stand()
        let kms = try vault.open()
        let wrapped = try await wrapped(kms)
        let before = try vault.play("limited 2").calls["/v1/transit/decrypt/signet"] ?? 0
        let start = ContinuousClock.now
        _ = try await kms.unwrap(wrapped, associatedData: [1])
        // Two pauses of a second, as asked, and not more calls than that.
        #expect(ContinuousClock.now - start >= .seconds(2))
        #expect(try vault.play("calls").calls["/v1/transit/decrypt/signet"] == before + 3)
        // A pause that is longer than the deadline is not waited for.
        let hasty = try vault.open { $0.deadline = .milliseconds(900) }
        try await hasty.checkHealth()
        let count = try vault.play("limited 9").calls["/v1/transit/decrypt/signet"] ?? 0
        #expect(await code { _ = try await hasty.unwrap(wrapped, associatedData: [1]) } == .kmsUnavailable)
        #expect(try vault.play("limited 0").calls["/v1/transit/decrypt/signet"] == count + 1)
    }

    @Test(arguments: ["html", "empty", "no-data", "numbers", "version", "no-base64", "huge"])
    func wrongAnswersAreToldAsSuch(_ what: String) async throws {
        let vault = try await stand()
        let wrapped = try await wrapped(vault.open())
        try vault.play("wrong " + what)
        let kms = try (vault.open(), vault.open())
        #expect(await code { _ = try await self.wrapped(kms.0) } == .kmsAnswerMalformed)
        #expect(
            await code { _ = try await kms.1.unwrap(wrapped, associatedData: [1]) } == .kmsAnswerMalformed)
    }

    @Test func aServerThatBindsNothingIsRefused() async throws {
        let vault = try await stand()
        let kms = try vault.open()
        try vault.play("unbound")
        #expect(await code { _ = try await wrapped(kms) } == .kmsKeyUnusable)
    }

    @Test func anotherAuthorityOrKeyIsRefused() async throws {
        let vault = try await stand()
        let wrapped = try await wrapped(vault.open())
        let stranger = try await apart { try TestCA("stranger", in: try TemporaryFolder()) }
        let wrong = try vault.open {
            $0.authorities = stranger.certificate
            $0.deadline = .seconds(2)
        }
        #expect(await code { try await wrong.checkHealth() } == .kmsUnavailable)
        let other = try vault.open { $0.key = "other" }
        #expect(await code { _ = try await self.wrapped(other) } == .kmsKeyUnusable)
        #expect(await code { _ = try await other.unwrap(wrapped, associatedData: [1]) } == .kmsKeyUnusable)
    }

    @Test func tokensAreReplacedWhenTheyHoldNoLonger() async throws {
        let vault = try await stand()
        let kms = try vault.open { $0.login = .role }
        let wrapped = try await wrapped(kms)
        try vault.play("revoke")
        _ = try await kms.unwrap(wrapped, associatedData: [1])
        #expect(try vault.play("calls").calls["/v1/auth/approle/login"] == 2)
        // A secret id that does not hold lets nobody in, until a good one is put there.
        let good = try String(contentsOfFile: vault.file("secret-id"), encoding: .utf8)
        func put(_ text: String, _ name: String) throws {
            try FileManager.default.removeItem(atPath: vault.file(name))
            let bytes = Array(text.utf8)
            try SecretBytes(copying: bytes.span).write(toNewFile: vault.file(name))
        }
        let stale = try vault.open {
            $0.login = .role
            $0.deadline = .seconds(2)
        }
        try put("other\n", "secret-id")
        // The stand-in reads the same file: it takes `other` now, and the old one no more.
        _ = try await stale.unwrap(wrapped, associatedData: [1])
        try put(good, "secret-id")
        // A token in a file is read again as well.
        let filed = try vault.open()
        _ = try await filed.unwrap(wrapped, associatedData: [1])
        try put("hvs.next\n", "token")
        _ = try await filed.unwrap(wrapped, associatedData: [1])
        try put("no token\n", "token")
        let lost = try vault.open { $0.deadline = .seconds(2) }
        #expect(await code { try await lost.checkHealth() } == .kmsDenied)
    }

    @Test func tokensAreRenewed() async throws {
        let vault = try await stand()
        try vault.play("lease 2")
        let kms = try vault.open { $0.login = .role }
        let wrapped = try await wrapped(kms)
        // With nobody asking anything, it is kept alive beyond its first life.
        await eventually { (try? vault.play("calls").calls["/v1/auth/token/renew-self"]) ?? 0 >= 3 }
        _ = try await kms.unwrap(wrapped, associatedData: [1])
        #expect(try vault.play("calls").calls["/v1/auth/approle/login"] == 1)
    }

    @Test func aTokenInACredential() async throws {
        let vault = try await stand()
        let kms = try vault.open { $0.login = .tokenInCredential }
        try await kms.checkHealth()
        let bare = try vault.settings(.init(login: .tokenInCredential)).open(
            in: .production, log: TestLog.quiet(), credentials: nil)
        #expect(await code { try await bare.checkHealth() } == .kmsKeyUnusable)
    }

    /// The wrapped key, the token and the secret id stand in this process's locked memory, or nowhere.
    @Test(.serialized, arguments: [VaultStandIn.Login.token, .role])
    func secretsAreNowhereElse(_ login: VaultStandIn.Login) async throws {
        let vault = try await stand()
        let kms = try vault.open { $0.login = login }
        let secret = try SecretBytes(randomCount: 48)
        let canaries = [
            Canary(of: secret.bytes),
            try canary(vault.file("token")), try canary(vault.file("secret-id")),
        ]
        let wrapped = try await kms.wrap(secret, associatedData: [1])
        let isSame = try await kms.unwrap(wrapped, associatedData: [1]).isEqualInConstantTime(to: secret)
        #expect(isSame)
        for canary in canaries {
            let places = try ProcessMemory().places(of: canary)
            #expect(places.elsewhere == 0)
        }
        #expect(try vault.play("calls").urls == 0)
        try await kms.checkHealth()
    }

    private func canary(_ file: String) throws -> Canary {
        let secret = try SecretBytes(contentsOf: file, lastNewline: .dropped)
        return Canary(of: secret.bytes)
    }

    @Test(arguments: [
        ("address = \"http://vault\"\nkey = \"k\"\ntoken_file = \"t\"", "address"),
        ("address = \"https://vault/path\"\nkey = \"k\"\ntoken_file = \"t\"", "address"),
        ("address = \"https://u:p@vault\"\nkey = \"k\"\ntoken_file = \"t\"", "address"),
        ("address = \"https://vault:0\"\nkey = \"k\"\ntoken_file = \"t\"", "address"),
        ("key = \"k\"\ntoken_file = \"t\"", "address"),
        ("address = \"https://vault\"\ntoken_file = \"t\"", "key"),
        ("address = \"https://vault\"\nkey = \"a/b\"\ntoken_file = \"t\"", "key"),
        ("address = \"https://vault\"\nkey = \"k\"", "token_file"),
        ("address = \"https://vault\"\nkey = \"k\"\nrole_id = \"r\"", "token_file"),
        ("address = \"https://vault\"\nkey = \"k\"\nsecret_id_file = \"r\"", "token_file"),
        ("address = \"https://vault\"\nkey = \"k\"\ntoken_file = \"t\"\nrole_id = \"r\"", "token_file"),
        ("address = \"https://vault\"\nkey = \"k\"\ntoken_file = \"t\"\nsystemd = \"r\"", "token_file"),
        ("address = \"https://vault\"\nkey = \"k\"\ntoken_file = \"t\"\nnamespace = \"a//b\"", "namespace"),
        ("address = \"https://vault\"\nkey = \"k\"\ntoken_file = \"t\"\nmount = \"../sys\"", "mount"),
        ("address = \"https://vault\"\nkey = \"k\"\ntoken_file = \"t\"\nsocket = \"s\"", "socket"),
        ("address = \"https://vault\"\nkey = \"k\"\ntoken_file = \"f\"\ntoken = \"t\"", "token"),
    ])
    func settingsThatAreRefused(_ lines: String, _ name: String) throws {
        let error = #expect(throws: SettingsFailure.self) {
            do { _ = try ProviderTables.read("type = \"vault\"\n" + lines) } catch {
                throw SettingsFailure(text: "\(error)")
            }
        }
        #expect(error?.text.contains("\(name)`") == true, "\(error?.text ?? "")")
    }

    private struct SettingsFailure: Error { let text: String }
}
