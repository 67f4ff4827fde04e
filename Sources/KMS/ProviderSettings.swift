// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
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

    /// The names that `type` takes.
    public static let names = ["dummy"]

    public static func read(_ section: SettingsReader) -> ProviderSettings {
        _ = section.required("type", .choice(names))
        let file = section.value("file", .path, default: "kms-key")
        return .dummy(file: file)
    }

    /// Opens the provider, or says why it is refused.
    public func open(in environment: DeploymentEnvironment, log: Log) throws -> any KeyWrapping {
        switch self {
        case .dummy(let file): try LocalKeyFile(file, in: environment, log: log)
        }
    }
}
