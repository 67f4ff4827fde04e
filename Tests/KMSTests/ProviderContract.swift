// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import KMS
import Keyring
import Secrets
import TestSupport
import Testing

/// A provider that the contract is held against: how to open it, twice with the same keys and once with others.
struct Provider: Sendable, CustomTestStringConvertible {
    let name: String
    let open: @Sendable (TemporaryFolder) throws -> any KeyWrapping

    var testDescription: String { name }

    static let all = [
        Provider(name: "dummy") { folder in
            try ProviderSettings.dummy(file: folder.path + "/kms-key").open(
                in: .development, log: TestLog.quiet())
        },
        Provider(name: "file") { folder in
            let path = folder.path + "/kek"
            if !FileManager.default.fileExists(atPath: path) {
                try SecretBytes(randomCount: 32).write(toNewFile: path)
            }
            return try ProviderSettings.file(.file(path), older: []).open(
                in: .production, log: TestLog.quiet())
        },
        Provider(name: "credential") { folder in
            if !FileManager.default.fileExists(atPath: folder.path + "/kek") {
                try SecretBytes(randomCount: 32).write(toNewFile: folder.path + "/kek")
            }
            return try ProviderSettings.file(.credential("kek"), older: []).open(
                in: .production, log: TestLog.quiet(), credentials: folder.path)
        },
        Provider(name: "socket") { folder in try ServedWrapping(folder) },
        Provider(name: "pkcs11") { folder in
            let tokens = try SoftToken.shared.get()
            let label = String(folder.path.split(separator: "/").last ?? "")
            if !FileManager.default.fileExists(atPath: folder.path + "/pkcs11") {
                try tokens.add(label, id: "01")
                try folder.write("pkcs11", "")
            }
            return try tokens.open(label)
        },
        Provider(name: "vault") { folder in try VaultStandIn(folder).open() },
        Provider(name: "vault with a role") { folder in try VaultStandIn(folder).open { $0.login = .role } },
    ]
}

/// The example service with what asks it. Another one over the same folder has the same keys.
final class ServedWrapping: KeyWrapping {
    private let folder: TemporaryFolder
    private let service: Companion
    private let wrapping: any KeyWrapping

    init(_ folder: TemporaryFolder) throws {
        self.folder = folder
        let socket = folder.path + "/s" + String(UInt32.random(in: 0 ... .max), radix: 16)
        service = try Companion([
            Command.pythonPath, Repository.path("docs/examples/key-service.py"), socket,
            folder.path + "/keys",
        ])
        #expect(service.readLine() == "ready")
        var limits = SteadyWrapping.Limits()
        limits.deadline = .seconds(60)
        wrapping = try ProviderSettings.socket(path: socket, limits).open(
            in: .production, log: TestLog.quiet())
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

enum TestLog {
    static func quiet() throws -> Log { Log(to: try LogSink(program: "test")) }
}

@Suite struct ProviderContract {
    @Test(arguments: Provider.all)
    func whatIsWrappedUnwraps(_ provider: Provider) async throws {
        let folder = try TemporaryFolder()
        let kms = try provider.open(folder)
        try await kms.checkHealth()
        for count in [1, 32, 64] {
            let secret = try SecretBytes(randomCount: count)
            for bound in [[], [1, 2, 3], [UInt8](repeating: 7, count: 1000)] as [[UInt8]] {
                let wrapped = try await kms.wrap(secret, associatedData: bound)
                let same = try await kms.unwrap(wrapped, associatedData: bound).isEqualInConstantTime(
                    to: secret)
                #expect(same)
                #expect(!wrapped.key.isEmpty && !wrapped.version.isEmpty)
                // It is another ciphertext each time.
                #expect(try await kms.wrap(secret, associatedData: bound) != wrapped)
                // After a restart too.
                let again = try provider.open(folder)
                #expect(again.provider == kms.provider)
                let still = try await again.unwrap(wrapped, associatedData: bound).isEqualInConstantTime(
                    to: secret)
                #expect(still)
            }
        }
    }

    @Test(arguments: Provider.all)
    func everyChangeIsRefused(_ provider: Provider) async throws {
        let kms = try provider.open(TemporaryFolder())
        let secret = try SecretBytes(randomCount: 32)
        let wrapped = try await kms.wrap(secret, associatedData: [1, 2, 3])
        for bound in [[], [1, 2], [1, 2, 3, 0], [1, 2, 4]] as [[UInt8]] {
            await #expect(throws: KMSError.self) { _ = try await kms.unwrap(wrapped, associatedData: bound) }
        }
        for index in wrapped.ciphertext.indices {
            var bytes = wrapped.ciphertext
            bytes[index] ^= 1
            let changed = WrappedSecret(key: wrapped.key, version: wrapped.version, ciphertext: bytes)
            await #expect(throws: KMSError.self) {
                _ = try await kms.unwrap(changed, associatedData: [1, 2, 3])
            }
        }
        for other in [
            WrappedSecret(key: wrapped.key, version: wrapped.version, ciphertext: []),
            WrappedSecret(
                key: wrapped.key, version: wrapped.version, ciphertext: Array(wrapped.ciphertext.dropLast())),
            WrappedSecret(key: wrapped.key, version: "99", ciphertext: wrapped.ciphertext),
            WrappedSecret(key: "another", version: wrapped.version, ciphertext: wrapped.ciphertext),
        ] {
            await #expect(throws: KMSError.self) {
                _ = try await kms.unwrap(other, associatedData: [1, 2, 3])
            }
        }
    }

    @Test(arguments: Provider.all)
    func anotherServiceDoesNotUnwrap(_ provider: Provider) async throws {
        let secret = try SecretBytes(randomCount: 32)
        let wrapped = try await provider.open(TemporaryFolder()).wrap(secret, associatedData: [])
        let other = try provider.open(TemporaryFolder())
        await #expect(throws: KMSError.self) { _ = try await other.unwrap(wrapped, associatedData: []) }
    }

    /// A data-server knows the service of its own plane alone.
    @Test(arguments: Provider.all)
    func aCertifyingClusterKeyDoesNotOpenForSigners(_ provider: Provider) async throws {
        let (signing, certifying) = try (provider.open(TemporaryFolder()), provider.open(TemporaryFolder()))
        let now = Moment(seconds: 1_800_000_000)
        let (_, wrapped) = try await ClusterKey.make(.control, wrappedBy: certifying, at: now)
        await #expect(throws: KMSError.self) { _ = try await wrapped.unwrapped(by: signing) }
        #expect(try await wrapped.unwrapped(by: certifying).id == wrapped.id)
    }

    @Test(arguments: Provider.all)
    func aClusterKeyGoesThereAndBack(_ provider: Provider) async throws {
        let folder = try TemporaryFolder()
        let (_, wrapped) = try await ClusterKey.make(
            .data, wrappedBy: provider.open(folder), at: Moment(seconds: 1_800_000_000))
        #expect(try await wrapped.unwrapped(by: provider.open(folder)).id == wrapped.id)
    }
}
