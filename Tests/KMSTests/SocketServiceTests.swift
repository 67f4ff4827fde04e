// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import KMS
import Keyring
import Secrets
import TestSupport
import Testing

/// A service that plays one fault after the other.
@Suite struct SocketServiceTests {
    private static let wrapped = WrappedSecret(key: "k", version: "1", ciphertext: [1, 2, 3])

    /// What each of the three calls meets.
    private func codes(_ kms: any KeyWrapping) async throws -> Set<ErrorCode?> {
        let secret = try SecretBytes(randomCount: 32)
        var codes: Set<ErrorCode?> = []
        func note(_ body: () async throws -> Void) async {
            do {
                try await body()
                codes.insert(nil)
            } catch { codes.insert((error as? any CodedError)?.code) }
        }
        await note { _ = try await kms.wrap(secret, associatedData: [1]) }
        await note { _ = try await kms.unwrap(Self.wrapped, associatedData: [1]) }
        await note { try await kms.checkHealth() }
        return codes
    }

    @Test(arguments: [
        ("empty", ErrorCode.kmsAnswerMalformed), ("no-json", .kmsAnswerMalformed),
        ("a-list", .kmsAnswerMalformed),
        ("a-number", .kmsAnswerMalformed), ("missing", .kmsAnswerMalformed),
        ("no-base64", .kmsAnswerMalformed),
        ("two-forms", .kmsAnswerMalformed), ("twice", .kmsAnswerMalformed), ("trailing", .kmsAnswerMalformed),
        ("too-long", .kmsAnswerMalformed), ("unavailable", .kmsUnavailable), ("refused", .kmsRefused),
        ("unknown-key", .kmsKeyUnusable), ("unknown-error", .kmsUnavailable), ("silent", .kmsUnavailable),
        ("drips", .kmsUnavailable),
    ])
    func faultsHaveTheirCode(_ mode: String, _ code: ErrorCode) async throws {
        let folder = try TemporaryFolder()
        let service = try Companion(python: "bad_key_service.py", [folder.path + "/s", mode])
        #expect(service.readLine() == "ready")
        let deadline: Duration = code == .kmsUnavailable ? .milliseconds(300) : .seconds(60)
        #expect(try await codes(SocketService(folder.path + "/s", deadline: deadline)) == [code])
    }

    @Test func whoHangsUpIsAway() async throws {
        let folder = try TemporaryFolder()
        let service = try Companion(python: "bad_key_service.py", [folder.path + "/s", "hangs-up"])
        #expect(service.readLine() == "ready")
        // Nothing at all may be what is read, where the request had gone out already.
        let found = try await codes(SocketService(folder.path + "/s", deadline: .seconds(60)))
        #expect(found.isSubset(of: [.kmsUnavailable, .kmsAnswerMalformed]))
    }

    @Test func nobodyIsThere() async throws {
        let folder = try TemporaryFolder()
        #expect(
            try await codes(SocketService(folder.path + "/s", deadline: .seconds(60))) == [.kmsUnavailable])
        #expect(throws: KMSError.self) {
            _ = try SocketService(String(repeating: "x", count: 108), deadline: .seconds(1))
        }
    }

    @Test(arguments: ["", "a\"b", "a\\b", "a\nb", "\u{fc}", String(repeating: "x", count: 257)])
    func whatNoServiceNamesIsNotAsked(_ name: String) async throws {
        let service = try SocketService("/nowhere", deadline: .seconds(60))
        for wrapped in [
            WrappedSecret(key: name, version: "1", ciphertext: [1]),
            WrappedSecret(key: "k", version: name, ciphertext: [1]),
        ] {
            let error = await #expect(throws: KMSError.self) {
                _ = try await service.unwrap(wrapped, associatedData: [])
            }
            #expect(error?.code == .kmsRefused)
        }
    }
}
