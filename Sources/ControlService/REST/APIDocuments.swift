// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Secrets

/// The readers of what clients send, without a server around them, for a fuzzer.
package enum APIDocuments {
    /// Reads a body as each document that some route takes. Throws only when a promise does not hold.
    package static func tryAll(_ bytes: [UInt8]) throws {
        _ = try? JSON.decode(NewKeyDocument.self, from: bytes).order()
        let secret = RequestSecret(try SecretBytes(randomCount: 1))
        _ = try? JSON.decode(ImportedKeyDocument.self, from: bytes).order(["private_key": secret])
        _ = try? JSON.decode(CertificateRequestDocument.self, from: bytes).order()
        _ = try? JSON.decode(RenewalDocument.self, from: bytes)
        _ = try? JSON.decode(RevocationDocument.self, from: bytes)
        _ = try? JSON.decode(FreezeOrderDocument.self, from: bytes)
        _ = try? JSON.decode(ThawOrderDocument.self, from: bytes)
        _ = try? JSON.decode(NewUserDocument.self, from: bytes)
        _ = try? JSON.decode(UserChangeDocument.self, from: bytes)
        _ = try? JSON.decode(NewTokenDocument.self, from: bytes)
        _ = try? JSON.decode(DeniedClientDocument.self, from: bytes).client(authority)
        guard let grant = try? JSON.decode(NewGrantDocument.self, from: bytes) else { return }
        for key in grant.keys { _ = try? NamePattern(key).matches("some-name") }
        guard let clients = try? pattern(grant.clients) else { return }
        guard try pattern(clients.description) == clients else {
            throw ControlError(.internalError, "a pattern over clients is not what its own text says")
        }
    }

    /// The text of a timestamp as it is written here; `nil` for what is none.
    package static func timestamp(_ text: String) -> String? {
        Timestamp.parse(text).map { Timestamp.text($0) }
    }

    private static let authority = [UInt8](repeating: 1, count: 32)

    private static func pattern(_ text: String) throws -> IdentityPattern {
        let parts = try IdentityText(text, authority)
        return try IdentityPattern(authority: parts.authority, sort: parts.sort, value: parts.value)
    }
}
