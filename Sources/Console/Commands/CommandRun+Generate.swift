// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings

extension CommandRun {
    /// The body that makes a key; names and words are those of the REST reference.
    struct NewKey: Encodable, Equatable {
        var name: String
        var description: String
        var visibility = "public"
        var key_type: String
        var attributes: [String: String]
        var parent_id: String?
        var expire_at: String
        /// Left out for a key that is not guarded.
        var guarded: Bool?
    }

    func generateKey() async throws {
        var request = try ClientRequest.json(.post, "/api/v1/keys/", newKey())
        // Primes are found by luck.
        request.deadline = .seconds(120)
        let key = try await ask(desk(), json: request)
        if form == .text { print("keys", [key], columns: Self.keyColumns) } else { print("key", key) }
    }

    func newKey() throws -> NewKey {
        let name = invocation.argument("NAME") ?? ""
        let type = invocation.text("type") ?? ""
        let parent = invocation.text("parent")
        var attributes = Self.algorithms[invocation.text("algorithm") ?? ""] ?? [:]
        switch type {
        case "openpgp":
            guard let email = invocation.text("email") else {
                throw ConsoleError(
                    .badArguments, "signet key generate: an openpgp key has an --email",
                    remedy: "Add --email ADDRESS; it is part of the user id that everybody sees.")
            }
            attributes["email"] = email
            if invocation.flag("signing-subkey") { attributes["signing_subkey"] = "true" }
        case "module", "efi", "cms", "timestamp":
            guard parent != nil else {
                throw ConsoleError(
                    .badArguments, "signet key generate: a key of the type \(type) has a --parent",
                    remedy: "Add --parent KEY, the name of a key of the type ca.")
            }
            attributes["x509_ee_usage"] = type == "module" ? "ko" : type
            fallthrough
        default: attributes["common_name"] = invocation.text("common-name") ?? name
        }
        return NewKey(
            name: name, description: invocation.text("description") ?? "",
            visibility: invocation.flag("private") ? "private" : "public",
            key_type: type == "ca" && parent != nil ? "x509ica" : Self.types[type] ?? "x509ee",
            attributes: attributes, parent_id: parent, expire_at: expiry() ?? "",
            guarded: invocation.flag("guarded") ? true : nil)
    }

    private static let types = ["openpgp": "pgp", "ca": "x509ca"]

    private static let algorithms: [String: [String: String]] = [
        "rsa-2048": ["key_type": "rsa", "key_length": "2048"],
        "rsa-3072": ["key_type": "rsa", "key_length": "3072"],
        "rsa-4096": ["key_type": "rsa", "key_length": "4096"],
        "ed25519": ["key_type": "eddsa"],
        "p256": ["key_type": "ecdsa", "key_length": "256"],
        "p384": ["key_type": "ecdsa", "key_length": "384"],
    ]
}
