// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let schemaMismatch = ErrorCode(
        "schema-mismatch", .configuration,
        cause: "The database's schema is not one that this release of the program takes.",
        remedy: "Migrate the schema with `control-admin migrate`, or install the release that fits it.")
    public static let backupBroken = ErrorCode(
        "backup-broken", .invalidInput,
        cause: "A file is no backup of the control plane, or it is cut off or was changed.",
        remedy: "Use another backup, and look after the place where this one was kept.")
    public static let databaseInUse = ErrorCode(
        "database-in-use", .conflict,
        cause: "A backup is restored into an empty database alone, and this one has rows.",
        remedy: "Make a new database with its users, name it in the settings, and restore into that.")

    static let ofStorage: [ErrorCode] = [schemaMismatch, backupBroken, databaseInUse]
}
