// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
internal import Glibc
public import Keyring
public import Settings

/// What `environment` in the settings says.
public enum DeploymentEnvironment: String, CaseIterable, Sendable {
    case production
    case development
}

/// Which provider wraps the cluster keys, and how to reach it: the section `[memory.kms-provider]`.
///
/// Another provider is another case here and a file of its own.
public enum ProviderSettings: Hashable, Sendable {
    /// `type = "dummy"`: a key in `file`.
    case dummy(file: String)
    /// `type = "file"`: a key in a file or a credential that systemd hands over, and the keys before it.
    case file(KeyPlace, older: [String])
    /// `type = "socket"`: a service behind a unix socket of this machine.
    case socket(path: String, SteadyWrapping.Limits)

    /// `type = "vault"`: the transit engine of a Vault.
    case vault(VaultSettings, SteadyWrapping.Limits)

    /// `type = "pkcs11"`: a key in a token.
    case pkcs11(TokenSettings, SteadyWrapping.Limits)

    public enum KeyPlace: Hashable, Sendable {
        case file(String)
        /// In the folder of `CREDENTIALS_DIRECTORY`.
        case credential(String)

        func path(_ credentials: String?, _ setting: String) throws(KMSError) -> String {
            switch self {
            case .file(let path): return path
            case .credential(let name):
                guard let credentials else {
                    throw KMSError(
                        .kmsKeyUnusable,
                        "\(setting): systemd hands no credentials over; say LoadCredential=\(name) or "
                            + "LoadCredentialEncrypted= in the unit")
                }
                return credentials + "/" + name
            }
        }
    }

    /// The names that `type` takes, and what belongs to each besides `deadline`.
    private static let taken: [(type: String, settings: [String])] = [
        ("dummy", ["file"]), ("file", ["file", "systemd", "older"]), ("socket", ["socket"]),
        ("vault", VaultSettings.names), ("pkcs11", TokenSettings.names),
    ]
    public static let names = taken.map(\.type)

    public static func read(_ section: SettingsReader) -> ProviderSettings {
        let type = section.required("type", .choice(names))
        let file = section.optional("file", .path)
        let credential = section.optional("systemd", .string)
        let older = section.value("older", .list(of: .path, count: 0...16), default: [])
        let socket = section.optional("socket", .path)
        var limits = SteadyWrapping.Limits()
        limits.deadline = section.value(
            "deadline", .duration(in: .milliseconds(10) ... .seconds(60)), default: limits.deadline)
        let key = section.optional("key", .string)
        let vault = VaultSettings.read(
            section, isWanted: type == "vault", key: key, credential: credential)
        let token = TokenSettings.read(
            section, isWanted: type == "pkcs11", key: key, credential: credential)
        let own = taken.first { $0.type == type }?.settings ?? []
        for name in Set(taken.flatMap(\.settings)).subtracting(own).sorted()
        where names.contains(type) && section.origin(name) != .builtIn && !(name == "older" && older.isEmpty)
        {
            section.refuse(name, because: "is not for the type \(type)")
        }
        if let credential, credential.isEmpty || credential.contains("/") || credential.hasPrefix(".") {
            section.refuse("systemd", because: "is the name of a credential, not a path")
        }
        switch type {
        case "file":
            guard let place = file.map({ KeyPlace.file($0) }) ?? credential.map({ .credential($0) }),
                file == nil || credential == nil
            else {
                section.refuse(
                    "file", because: "or `systemd`: just one of them says where the wrapping key is")
                return .file(.file(""), older: older)
            }
            return .file(place, older: older)
        case "socket":
            if socket == nil {
                section.refuse("socket", because: "is missing: the path of the service's socket")
            }
            return .socket(path: socket ?? "", limits)
        default:
            if let vault { return .vault(vault, limits) }
            if let token { return .pkcs11(token, limits) }
            return .dummy(file: file ?? "kms-key")
        }
    }

    /// Whether what one wraps the other can unwrap, as far as the settings tell.
    public func sharesKey(with other: ProviderSettings) -> Bool {
        switch (self, other) {
        case (.dummy(let one), .dummy(let other)): one == other
        case (.file(let one, let old), .file(let other, let otherOld)):
            one == other || [one].contains { otherOld.map(KeyPlace.file).contains($0) }
                || old.map(KeyPlace.file).contains(other)
        case (.socket(let one, _), .socket(let other, _)): one == other
        case (.vault(let one, _), .vault(let other, _)):
            one.endpoint == other.endpoint && one.keyID == other.keyID
        // Every id of a label unwraps.
        case (.pkcs11(let one, _), .pkcs11(let other, _)): one.label == other.label && one.key == other.key
        default: false
        }
    }

    /// Opens the provider, or says why it is refused. `credentials` is the folder of systemd's credentials.
    public func open(
        in environment: DeploymentEnvironment, log: Log, credentials: String? = ProviderSettings.credentials()
    ) throws -> any KeyWrapping {
        switch self {
        case .dummy(let file): return try LocalKeyFile(file, in: environment, log: log)
        case .file(let place, let older):
            return try KeyFile(try place.path(credentials, "systemd"), older: older)
        case .socket(let path, let limits):
            return SteadyWrapping(try SocketService(path, deadline: limits.deadline), limits)
        case .vault(let settings, let limits):
            return SteadyWrapping(
                try Vault(settings, deadline: limits.deadline, credentials: credentials), limits)
        case .pkcs11(let settings, let limits):
            return SteadyWrapping(try Token(settings, credentials: credentials), limits)
        }
    }

    public static func credentials() -> String? {
        unsafe getenv("CREDENTIALS_DIRECTORY").map { unsafe String(cString: $0) }
    }
}
