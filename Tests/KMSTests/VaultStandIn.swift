// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import KMS
import Keyring
import Secrets
import Settings
import TestPeers
import TestSupport

/// A Vault in Python (Tests/Python/vault.py). Another one over the same folder has the same transit keys.
final class VaultStandIn: Sendable {
    enum Login { case token, role, tokenInCredential }

    struct Options {
        var login = Login.token
        var namespace: String?
        var deadline: Duration = .seconds(60)
        var key = "signet"
        var authorities: String?
    }

    /// It answers nothing any more.
    struct Silent: Error { let text: String }

    let folder: TemporaryFolder
    let port: Int
    private let service: Companion
    private let lock = Lock(())

    init(_ folder: TemporaryFolder, port: Int? = nil) throws {
        self.folder = folder
        if !FileManager.default.fileExists(atPath: folder.path + "/vault") {
            let ca = try TestCA("vault", in: folder)
            try ca.issue("server", san: "IP:127.0.0.1")
        }
        service = try Companion(
            python: "vault.py", [folder.path + "/vault"] + (port.map { [String($0)] } ?? []))
        guard let line = service.readLine(), let port = Int(line) else {
            throw Silent(text: service.errorText)
        }
        self.port = port
    }

    func file(_ name: String) -> String { folder.path + "/vault/" + name }

    /// What the settings say of it.
    func settings(_ options: Options) throws -> ProviderSettings {
        var lines = [
            "type = \"vault\"", "address = \"https://127.0.0.1:\(port)\"",
            "ca_root = \"\(options.authorities ?? file("ca.crt"))\"", "key = \"\(options.key)\"",
            "deadline = \"\(options.deadline / .milliseconds(1))ms\"".replacingOccurrences(
                of: ".0ms", with: "ms"),
        ]
        if let namespace = options.namespace { lines.append("namespace = \"\(namespace)\"") }
        switch options.login {
        case .token: lines.append("token_file = \"\(file("token"))\"")
        case .tokenInCredential: lines.append("systemd = \"token\"")
        case .role: lines += ["role_id = \"signet-role\"", "secret_id_file = \"\(file("secret-id"))\""]
        }
        return try ProviderTables.read(lines.joined(separator: "\n"))
    }

    func open(_ adapt: (inout Options) -> Void = { _ in }) throws -> any KeyWrapping {
        var options = Options()
        adapt(&options)
        let kms = try settings(options).open(
            in: .production, log: TestLog.quiet(), credentials: folder.path + "/vault")
        return Kept(self, kms)
    }

    struct Told: Decodable {
        var calls: [String: Int]
        var namespaces: [String]
        /// Requests whose path or query held a secret.
        var urls: Int
    }

    /// Has it behave so from now on.
    @discardableResult func play(_ line: String) throws -> Told {
        try lock.withLock { _ in
            service.write(line)
            guard let answer = service.readLine() else {
                throw Silent(text: service.errorText)
            }
            return try JSONDecoder().decode(Told.self, from: Data(answer.utf8))
        }
    }

    func end() { service.end() }

    /// The stand-in lives as long as what asks it.
    private struct Kept: KeyWrapping {
        let service: VaultStandIn
        let wrapping: any KeyWrapping

        init(_ service: VaultStandIn, _ wrapping: any KeyWrapping) {
            self.service = service
            self.wrapping = wrapping
        }

        var provider: String { wrapping.provider }
        func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
            try await wrapping.wrap(key, associatedData: associatedData)
        }
        func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
            try await wrapping.unwrap(wrapped, associatedData: associatedData)
        }
        func checkHealth() async throws { try await wrapping.checkHealth() }
    }
}

enum ProviderTables {
    /// The section `[memory.kms-provider]` of these lines.
    static func read(_ lines: String) throws -> ProviderSettings {
        let text = "[memory.kms-provider]\n" + lines
        let sources = SettingsSources(
            files: [try SettingsFile(path: "/etc/signet/server.toml", contents: Array(text.utf8))])
        return try sources.read { ProviderSettings.read($0.section("memory").section("kms-provider")) }.value
    }
}
