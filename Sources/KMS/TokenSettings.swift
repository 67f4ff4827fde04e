// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Settings

/// Which token has the wrapping key, and how it is reached (docs/reference/kms.md).
public struct TokenSettings: Hashable, Sendable {
    /// The shared library of the token's vendor.
    public var module: String
    /// The token's label.
    public var label: String
    /// The key's label, and its id where several have the label.
    public var key: String
    public var keyID: [UInt8]?
    public var pin: ProviderSettings.KeyPlace

    static let names = ["module", "token_label", "key", "key_id", "pin_file", "systemd"]

    /// Asks for all names but `key`; nil, with a refusal, for what is not whole.
    static func read(
        _ section: SettingsReader, isWanted: Bool, key: String?, credential: String?
    ) -> TokenSettings? {
        let module = section.optional("module", .path)
        let label = section.optional("token_label", .string)
        let keyID = section.optional("key_id", .string)
        let pin = section.optional("pin_file", .path)
        guard isWanted else { return nil }
        guard let module else {
            section.refuse("module", because: "is missing: the path of the token's PKCS#11 library")
            return nil
        }
        guard let label, isLabel(label, most: 32) else {
            section.refuse(
                "token_label", because: "is the label of the token, 1 to 32 visible ASCII characters")
            return nil
        }
        guard let key, isLabel(key, most: 128) else {
            section.refuse("key", because: "is the label of the AES key in the token")
            return nil
        }
        var bytes: [UInt8]?
        if let keyID {
            bytes = try? Hex.decode(keyID)
            guard let bytes, (1...32).contains(bytes.count) else {
                section.refuse("key_id", because: "is the key's CKA_ID in hexadecimal digits, up to 32 bytes")
                return nil
            }
        }
        guard let place = pin.map(ProviderSettings.KeyPlace.file) ?? credential.map({ .credential($0) }),
            pin == nil || credential == nil
        else {
            section.refuse("pin_file", because: "or `systemd`: just one of them says where the user's PIN is")
            return nil
        }
        return TokenSettings(module: module, label: label, key: key, keyID: bytes, pin: place)
    }

    private static func isLabel(_ text: String, most: Int) -> Bool {
        (1...most).contains(text.utf8.count) && text.utf8.allSatisfy { 0x20...0x7e ~= $0 }
            && text.first != " " && text.last != " "
    }
}
