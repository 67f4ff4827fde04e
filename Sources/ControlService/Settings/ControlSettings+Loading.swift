// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
public import Diagnostics
public import Settings

extension ControlSettings {
    /// The settings of the file that `--config` names, under what variables and other options say.
    public static func load(_ invocation: Invocation, _ environment: [String: String]) throws
        -> ControlSettings
    {
        guard let path = invocation.text("config"), let file = try SettingsFile.load(path) else {
            throw ControlError(
                .settingsUnreadable, "\(invocation.text("config") ?? "--config"): there is no such file")
        }
        return try read(
            SettingsSources(files: [file], environment: environment, overrides: invocation.overrides)
        ).value
    }
}

extension ControlSettings {
    /// The certificates that the server serves with and lets in by: who looks after it has to renew them.
    public var watchedFiles: [String] {
        [service.certificates] + (service.clientAuthority.map { [$0] } ?? [])
    }
}

extension ControlSettings.LogSection {
    public var form: LogForm? { isJSON.map { $0 ? .json : .pretty(colours: false) } }
}

extension ControlSettings.Service {
    /// SHA-256 of the certificate of `ca_root`; nil when there is none.
    public func clientAuthorityFingerprint() throws -> [UInt8]? {
        guard let path = clientAuthority else { return nil }
        guard let text = try PublicFile.text(path) else {
            throw ControlError(.settingsUnreadable, "ca_root: there is no file \(path)")
        }
        let certificates = try Certificate.pem(text)
        guard certificates.count == 1, let certificate = certificates.first else {
            throw ControlError(
                .settingInvalid,
                "ca_root: \(path) holds \(certificates.count) certificates; grants then have to name the authority, "
                    + "so leave the setting out")
        }
        return certificate.fingerprint.bytes
    }
}
