// SPDX-License-Identifier: Apache-2.0

internal import Settings

extension CommandTree {
    private static let key = CommandOption.value(
        "key", short: "k", "KEY", "this key alone", .proposed(["key", "list", "--names"]))

    static let freeze = CommandTree(
        "freeze", "stop all signing, or one key's, at once",
        details: [
            "One person does it alone, and when it returns all data-servers refuse to sign, also on streams that are "
                + "open. Keys stay as they are. To let signing go on takes an administrator more: `signet thaw`."
        ],
        options: [key, .value("reason", "TEXT", "why, for those who come after")],
        examples: [
            CommandExample("Stop everything", "signet freeze --reason break-in"),
            CommandExample("Stop one key", "signet freeze --key release"),
        ])

    static let thaw = CommandTree(
        "thaw", "let signing go on that was frozen",
        details: [
            "An administrator who did not order the freeze, and was one when it was ordered, ends it at once. Of anybody "
                + "else it is a request that another administrator approves, by the same command or as any request."
        ],
        options: [key], examples: [CommandExample("After all", "signet thaw --key release")])

    static let frozen = CommandTree(
        "frozen", "list what signing is frozen",
        examples: [CommandExample("Before one thaws", "signet frozen")])
}
