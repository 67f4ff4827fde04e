// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Keyring
import MemoryScan
import Secrets
import TestPeers
import TestSupport
import Testing

@testable import KMS

@Suite struct TokenTests {
    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch { return (error as? any CodedError)?.code ?? .internalError }
    }

    private func tokens() async throws -> SoftToken { try await apart { try SoftToken.shared.get() } }

    @Test func keysAreFoundByLabelAndID() async throws {
        let tokens = try await tokens()
        try tokens.add("rotating", id: "01")
        let first = try tokens.open("rotating")
        let secret = try SecretBytes(randomCount: 32)
        let wrapped = try await first.wrap(secret, associatedData: [1])
        #expect(wrapped.key == "signet/rotating" && wrapped.version == "01")
        try tokens.add("rotating", id: "02ff")
        // Two of the label: which one wraps has to be said, and both unwrap.
        #expect(await code { _ = try await first.wrap(secret, associatedData: [1]) } == .kmsKeyUnusable)
        let second = try tokens.open("rotating", id: "02ff")
        #expect(try await second.wrap(secret, associatedData: [1]).version == "02ff")
        for kms in [first, second] {
            let isSame = try await kms.unwrap(wrapped, associatedData: [1]).isEqualInConstantTime(to: secret)
            #expect(isSame)
        }
        let moved = WrappedSecret(key: wrapped.key, version: "02ff", ciphertext: wrapped.ciphertext)
        #expect(await code { _ = try await second.unwrap(moved, associatedData: [1]) } == .kmsRefused)
        let missing = try tokens.open("missing")
        #expect(await code { try await missing.checkHealth() } == .kmsKeyUnusable)
        try tokens.add("short", id: "01", count: 16)
        let short = try tokens.open("short")
        #expect(await code { _ = try await short.wrap(secret, associatedData: [1]) } == .kmsKeyUnusable)
        try await second.checkHealth()
    }

    @Test func aLostSessionIsOpenedAgain() async throws {
        let tokens = try await tokens()
        let label = "signet lost"
        try tokens.add("lost", id: "01", to: label)
        let kms = try tokens.open("lost", token: label)
        let secret = try SecretBytes(randomCount: 32)
        var wrapped = try await kms.wrap(secret, associatedData: [])
        let module = try TokenModule(SoftToken.module)
        let slot = try #require(try module.slots(labelled: label).first)
        for _ in 0..<3 {
            // As when the token was pulled out and put back: sessions and login are gone.
            module.closeAllSessions(slot)
            let isSame = try await kms.unwrap(wrapped, associatedData: []).isEqualInConstantTime(to: secret)
            #expect(isSame)
            module.closeAllSessions(slot)
            wrapped = try await kms.wrap(secret, associatedData: [])
            module.closeAllSessions(slot)
            try await kms.checkHealth()
        }
    }

    @Test func manyCallsAtOnce() async throws {
        let tokens = try await tokens()
        try tokens.add("busy", id: "01")
        let kms = try tokens.open("busy")
        let wrapped = try await kms.wrap(SecretBytes(randomCount: 32), associatedData: [])
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 { group.addTask { try await kms.unwrap(wrapped, associatedData: []).count } }
            for try await count in group { #expect(count == 32) }
        }
    }

    @Test func aRefusedPINIsNotShownAgain() async throws {
        let tokens = try await tokens()
        let label = "signet pin"
        try tokens.add("pin", id: "01", to: label)
        let path = try tokens.pinFile("0000-wrong")
        let settings = TokenSettings(
            module: SoftToken.module, label: label, key: "pin", keyID: nil, pin: .file(path))
        let token = try Token(settings)
        for isFirst in [true, false] {
            let error = await #expect(throws: KMSError.self) { try await token.checkHealth() }
            #expect(error?.code == .kmsDenied)
            #expect(error?.message.contains("not shown again") == !isFirst)
        }
        // Another one in the file is taken at once.
        try FileManager.default.removeItem(atPath: path)
        let bytes = Array(SoftToken.pin.utf8)
        try SecretBytes(copying: bytes.span).write(toNewFile: path)
        try await token.checkHealth()
    }

    @Test func whatIsNotThereIsToldSo() async throws {
        let tokens = try await tokens()
        let error = #expect(throws: KMSError.self) {
            _ = try Token(
                TokenSettings(
                    module: "/nowhere/module.so", label: "a", key: "b", keyID: nil, pin: .file("/pin")))
        }
        #expect(error?.code == .kmsKeyUnusable && error?.message.contains("/nowhere/module.so") == true)
        // A library that is none of PKCS#11's.
        #expect(throws: KMSError.self) {
            _ = try Token(
                TokenSettings(module: "libc.so.6", label: "a", key: "b", keyID: nil, pin: .file("/pin")))
        }
        let away = try Token(
            TokenSettings(
                module: SoftToken.module, label: "elsewhere", key: "b", keyID: nil,
                pin: .file(try tokens.pinFile())))
        #expect(await code { try await away.checkHealth() } == .kmsUnavailable)
    }

    @Test(arguments: [
        ("token_label = \"t\"\nkey = \"k\"\npin_file = \"p\"", "module"),
        ("module = \"m\"\nkey = \"k\"\npin_file = \"p\"", "token_label"),
        (
            "module = \"m\"\ntoken_label = \"\(String(repeating: "t", count: 33))\"\nkey = \"k\"",
            "token_label"
        ),
        ("module = \"m\"\ntoken_label = \"t\"\npin_file = \"p\"", "key"),
        ("module = \"m\"\ntoken_label = \"t\"\nkey = \"k\"", "pin_file"),
        ("module = \"m\"\ntoken_label = \"t\"\nkey = \"k\"\npin_file = \"p\"\nsystemd = \"p\"", "pin_file"),
        ("module = \"m\"\ntoken_label = \"t\"\nkey = \"k\"\npin_file = \"p\"\nkey_id = \"0\"", "key_id"),
        ("module = \"m\"\ntoken_label = \"t\"\nkey = \"k\"\npin_file = \"p\"\nmount = \"x\"", "mount"),
        ("module = \"m\"\ntoken_label = \"t\"\nkey = \"k\"\npin_file = \"p\"\npin = \"x\"", "pin"),
    ])
    func settingsThatAreRefused(_ lines: String, _ name: String) throws {
        let error = #expect(throws: (any Error).self) {
            _ = try ProviderTables.read("type = \"pkcs11\"\n" + lines)
        }
        #expect("\(error as Any)".contains("\(name)`"))
    }
}
