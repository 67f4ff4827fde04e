// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let settingsUnreadable = ErrorCode(
        "settings-unreadable", .configuration,
        cause: "A settings file could not be read.",
        remedy: "Check the path, its owner and its mode.")
    public static let settingsMalformed = ErrorCode(
        "settings-malformed", .configuration,
        cause: "A settings file is not valid TOML 1.0.",
        remedy: "Mend the line that the message names.")
    public static let settingMissing = ErrorCode(
        "setting-missing", .configuration,
        cause: "A setting that has no default is not set.",
        remedy: "Set it in a settings file, in its environment variable or with --set.")
    public static let settingInvalid = ErrorCode(
        "setting-invalid", .configuration,
        cause: "A setting has a value that cannot be used.",
        remedy: "Give it a value of the kind and range that the message names.")
    public static let settingUnknown = ErrorCode(
        "setting-unknown", .configuration,
        cause: "A setting is given that the program does not know.",
        remedy: "Correct its name, or remove it.")
    public static let settingSecret = ErrorCode(
        "setting-secret", .configuration,
        cause: "A secret is given as a value; values are printed, logged and copied.",
        remedy:
            "Write the secret to a file of mode 0600 and name that file in the setting that ends in _file.")

    static let ofSettings: [ErrorCode] = [
        settingsUnreadable, settingsMalformed, settingMissing, settingInvalid, settingUnknown, settingSecret,
    ]
}
