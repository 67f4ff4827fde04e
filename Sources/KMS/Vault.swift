// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP
public import Keyring
public import Secrets

/// The provider `vault`: the transit engine of a HashiCorp Vault or OpenBao over HTTPS. Its key, of the type
/// `aes256-gcm96`, stays there.
///
/// ```
/// key        = [ namespace "/" ] mount "/" name
/// answer     = "vault:v" version ":" base64     ; as the engine gives and takes it
/// ciphertext = what the base64 says, so that each has one form
/// ```
/// A server old enough to pass over `associated_data` would open any row's key in any other row: what it wrapped is tried with
/// other data at once.
public final class Vault: KeyWrapping {
    public let provider = "vault"
    private let settings: VaultSettings
    private let session: VaultSession

    public init(
        _ settings: VaultSettings, deadline: Duration, credentials: String? = ProviderSettings.credentials()
    ) throws {
        self.settings = settings
        session = try VaultSession(settings, deadline: deadline, credentials: credentials)
    }

    public func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let base64 = Base64.standard
        let head = Array("{\"plaintext\":\"".utf8)
        let tail = Array("\",\"associated_data\":\"\(base64.encode(associatedData))\"}".utf8)
        let body = RequestSecret(
            try SecretBytes(capacity: head.count + base64.encodedCount(secret.count) + tail.count) { output in
                for byte in head { output.append(byte) }
                try base64.encode(secret.bytes, into: &output)
                for byte in tail { output.append(byte) }
            })
        let id = settings.keyID
        let wrapped = try await session.ask(request("encrypt", body), fault: .kmsKeyUnusable) {
            body, answer in
            guard let text = answer.wholeText("data/ciphertext", of: body.bytes),
                let wrapped = Self.wrapped(text, id)
            else { throw VaultSession.malformed }
            return wrapped
        }
        try await checkBinding(wrapped, associatedData + [0])
        return wrapped
    }

    public func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        guard wrapped.key == settings.keyID else {
            throw KMSError(
                .kmsKeyUnusable,
                "wrapped with the key \(wrapped.key), the settings name \(settings.keyID)")
        }
        let body = try Self.unwrapping(wrapped, associatedData)
        let opened = try await session.ask(request("decrypt", body), fault: .kmsRefused) { body, answer in
            guard let secret = try answer.secret(base64: "data/plaintext", of: body.bytes) else {
                throw VaultSession.malformed
            }
            return RequestSecret(secret)
        }
        return try SecretBytes(capacity: opened.bytes.count) { opened.append(to: &$0) }
    }

    public func checkHealth() async throws {
        try await session.askHealth()
        try await session.checkToken()
    }

    private func checkBinding(_ wrapped: WrappedSecret, _ otherData: [UInt8]) async throws {
        let body = try Self.unwrapping(wrapped, otherData)
        do {
            try await session.ask(request("decrypt", body), fault: .kmsRefused) { _, _ in }
        } catch {
            guard (error as? KMSError)?.code == .kmsRefused else { throw error }
            return
        }
        throw KMSError(
            .kmsKeyUnusable,
            "the Vault does not bind associated data to what it encrypts; it needs a newer one, and a key of aes256-gcm96"
        )
    }

    private func request(_ verb: String, _ body: RequestSecret) -> ClientRequest {
        var request = ClientRequest(.post, "/v1/\(settings.mount)/\(verb)/\(settings.key)")
        request.secretBody = body
        return request
    }

    private static func unwrapping(_ wrapped: WrappedSecret, _ associatedData: [UInt8]) throws
        -> RequestSecret
    {
        guard let version = UInt32(wrapped.version), String(version) == wrapped.version,
            (1...WrappedSecret.largest).contains(wrapped.ciphertext.count)
        else {
            throw KMSError(
                .kmsRefused, "the wrapped key names a version that no key has, or is no wrapped key")
        }
        let base64 = Base64.standard
        let text =
            "{\"ciphertext\":\"vault:v\(version):\(base64.encode(wrapped.ciphertext))\","
            + "\"associated_data\":\"\(base64.encode(associatedData))\"}"
        let bytes = Array(text.utf8)
        return RequestSecret(try SecretBytes(copying: bytes.span))
    }

    private static func wrapped(_ text: String, _ key: String) -> WrappedSecret? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "vault", parts[1].first == "v",
            let version = UInt32(parts[1].dropFirst()), "v\(version)" == parts[1],
            let ciphertext = try? Base64.standard.decode(String(parts[2])),
            (1...WrappedSecret.largest).contains(ciphertext.count)
        else { return nil }
        return WrappedSecret(key: key, version: String(version), ciphertext: ciphertext)
    }
}
