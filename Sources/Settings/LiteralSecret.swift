// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Keeps secrets out of values: values are printed, logged and copied.
enum LiteralSecret {
    private static let remedy = "write it to a file of mode 0600 and name the file"

    /// Returns the text, unless it plainly holds a secret.
    static func refuse(in text: String) throws(SettingRefusal) -> String {
        if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
            throw SettingRefusal(code: .settingSecret, reason: "holds a private key; \(remedy)")
        }
        if let password = passwordOfAddress(text), !password.isEmpty {
            throw SettingRefusal(
                code: .settingSecret, reason: "holds a password in an address; leave it out, \(remedy)")
        }
        return text
    }

    /// Of `scheme://user:password@host/...`.
    private static func passwordOfAddress(_ text: String) -> Substring? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let rest = text[text.index(colon, offsetBy: 3)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        let user = authority[..<at]
        return user.firstIndex(of: ":").map { user[user.index(after: $0)...] }
    }

    private static let words = [
        "password", "passphrase", "passwd", "secret", "token", "pin", "credential", "credentials",
        "private-key",
        "secret-key", "api-key", "access-key", "cookie-key",
    ]

    /// Whether a name announces a secret, not a file: `password`, `kms-token`, `cookie_key`.
    static func isAnnounced(by name: String) -> Bool {
        let name = String(
            decoding: name.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 },
            as: UTF8.self)
        return words.contains { name == $0 || name.hasSuffix("-" + $0) }
    }
}
