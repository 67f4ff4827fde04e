// SPDX-License-Identifier: Apache-2.0

internal import Settings
public import Transport

/// Where a Vault is, which of its keys wraps, and who we are to it (docs/reference/kms.md).
public struct VaultSettings: Hashable, Sendable {
    /// Where a secret is: in a file, or in a credential that systemd hands over.
    public typealias SecretPlace = ProviderSettings.KeyPlace

    public enum Login: Hashable, Sendable {
        /// A token that somebody puts there, and may replace.
        case token(SecretPlace)
        case appRole(mount: String, role: String, secret: SecretPlace)
    }

    public var endpoint: Endpoint
    /// The authorities of its certificate, in PEM; nil for the system's.
    public var authorities: String?
    public var namespace: String?
    /// Of the transit engine.
    public var mount: String
    /// The name of the key in it.
    public var key: String
    public var login: Login

    /// What the wrapped keys say of their key.
    var keyID: String { (namespace.map { $0 + "/" } ?? "") + mount + "/" + key }

    static let names = [
        "address", "ca_root", "namespace", "mount", "key", "token_file", "role_id", "secret_id_file",
        "auth_mount",
        "systemd",
    ]

    /// Asks for all names but `key`; nil, with a refusal, for what is not whole. `isWanted`: whether anything is refused.
    static func read(
        _ section: SettingsReader, isWanted: Bool, key: String?, credential: String?
    ) -> VaultSettings? {
        let address = section.optional("address", .string)
        let authorities = section.optional("ca_root", .path)
        let namespace = section.optional("namespace", .string)
        let mount = section.value("mount", .string, default: "transit")
        let tokenFile = section.optional("token_file", .path)
        let role = section.optional("role_id", .string)
        let secretFile = section.optional("secret_id_file", .path)
        let authMount = section.value("auth_mount", .string, default: "approle")
        guard isWanted else { return nil }

        for (name, value) in [("namespace", namespace), ("mount", mount), ("auth_mount", authMount)] {
            if let value, !isPath(value) {
                section.refuse(
                    name, because: "has letters, digits, \"-\", \"_\", \".\", and \"/\" between them alone")
                return nil
            }
        }
        guard let address, let endpoint = endpoint(address) else {
            section.refuse(
                "address", because: "says where the Vault is: https://HOST[:PORT] and nothing behind it")
            return nil
        }
        guard let key, isPath(key), !key.contains("/") else {
            section.refuse("key", because: "is the name of the transit engine's key, such as \"signet\"")
            return nil
        }
        let login: Login
        let files = [tokenFile, secretFile].compactMap { $0.map(SecretPlace.file) }
        guard let place = files.first ?? credential.map(SecretPlace.credential),
            files.count + (credential == nil ? 0 : 1) == 1,
            (role == nil) == (tokenFile != nil) || credential != nil
        else {
            section.refuse(
                "token_file",
                because:
                    "with a token, or role_id and secret_id_file: just one of them; `systemd` names a credential "
                    + "in place of the file")
            return nil
        }
        if let role {
            guard (1...128).contains(role.utf8.count), isPath(role) else {
                section.refuse("role_id", because: "is no role id")
                return nil
            }
            login = .appRole(mount: authMount, role: role, secret: place)
        } else {
            login = .token(place)
        }
        return VaultSettings(
            endpoint: endpoint, authorities: authorities, namespace: namespace, mount: mount, key: key,
            login: login)
    }

    /// `https://HOST[:PORT]`, with or without a slash behind it.
    private static func endpoint(_ address: String) -> Endpoint? {
        guard address.hasPrefix("https://") else { return nil }
        var rest = address.dropFirst("https://".count)
        if rest.hasSuffix("/") { rest.removeLast() }
        var port: UInt16 = 443
        let isBracketed = rest.hasPrefix("[")
        if let colon = rest.lastIndex(of: ":"), !isBracketed || rest[..<colon].hasSuffix("]") {
            guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else { return nil }
            port = number
            rest = rest[..<colon]
        }
        if isBracketed {
            guard rest.hasSuffix("]") else { return nil }
            rest = rest.dropFirst().dropLast()
            guard !rest.isEmpty, rest.utf8.allSatisfy({ Self.hexColon.contains($0) }) else { return nil }
        } else {
            guard isPath(String(rest)), !rest.contains("/") else { return nil }
        }
        return .host(String(rest), port: port)
    }

    private static let hexColon = Set("0123456789abcdefABCDEF:.".utf8)

    private static func isPath(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy {
                        switch $0 {
                        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                            UInt8(ascii: "."):
                            true
                        default: false
                        }
                    }
            }
    }
}
