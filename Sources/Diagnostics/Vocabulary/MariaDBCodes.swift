// SPDX-License-Identifier: Apache-2.0

/// What can go wrong between a program and its database.
extension ErrorCode {
    public static let databaseUnavailable = ErrorCode(
        "database-unavailable", .unavailable,
        cause: "No database server could be reached, or it went away.",
        remedy: "Try again after a pause; if it lasts, check the servers that the message names.")
    public static let databaseBusy = ErrorCode(
        "database-busy", .exhausted,
        cause: "The database, or this program's connections to it, have more to do than they may queue.",
        remedy: "Try again after a pause; raise the pool's size or the server's max_connections.")
    public static let databaseDeadline = ErrorCode(
        "database-deadline", .deadline,
        cause: "The database did not answer within the time that a statement may take.",
        remedy: "Try again; if it lasts, look for slow statements and locks on the server.")
    public static let databaseContention = ErrorCode(
        "database-contention", .unavailable,
        cause: "Transactions stood in each other's way, and the retries were used up.",
        remedy: "Try again after a pause.")
    public static let databaseDenied = ErrorCode(
        "database-denied", .configuration,
        cause: "The database server refused the user, his password or the right to do this.",
        remedy: "Check the user, the password file and the grants on the server.")
    public static let databaseTLS = ErrorCode(
        "database-tls", .configuration,
        cause: "No TLS session with the database server could be set up.",
        remedy:
            "Check that the server offers TLS and that its certificate, name and CA are the expected ones.")
    public static let databaseReadOnly = ErrorCode(
        "database-read-only", .unavailable,
        cause: "The database server takes no writes at present.",
        remedy: "Try again when the failover is over, or point the settings to the writable server.")
    public static let databaseConflict = ErrorCode(
        "database-conflict", .conflict,
        cause: "A row with the same key exists already, or other rows depend on this one.",
        remedy: "Read the present rows and try again.")
    public static let databaseValue = ErrorCode(
        "database-value", .invalidInput,
        cause: "The database refused a value: too long, out of range or against a rule of its table.",
        remedy: "Correct the value of the column that the message names.")
    public static let databaseStatement = ErrorCode(
        "database-statement", .internal,
        cause: "The database refused a statement, or its answer is not what the program expects.",
        remedy: "Check that the schema version fits this program, and report it.")
    public static let databaseRow = ErrorCode(
        "database-row", .internal,
        cause: "A row holds a value that no program writes there, such as a zero date.",
        remedy: "Restore the row from a backup, and find out who wrote to the database.")
    public static let databaseCommitUnknown = ErrorCode(
        "database-commit-unknown", .unavailable,
        cause:
            "The connection was lost while a transaction was committed, so nobody knows yet whether it was.",
        remedy: "Read the rows back before you repeat the transaction.")
    public static let databaseClosed = ErrorCode(
        "database-closed", .unavailable,
        cause: "The program is shutting down and takes no more work for the database.",
        remedy: "Try again on another server.")
    public static let databaseSettings = ErrorCode(
        "database-settings", .configuration,
        cause:
            "The settings of the database connection contradict each other or name a file that is not there.",
        remedy: "Correct the setting that the message names.")
    public static let migrationInvalid = ErrorCode(
        "migration-invalid", .configuration,
        cause:
            "The folder of migrations has a gap, a duplicate, a missing half or a file that cannot be read.",
        remedy: "Mend the file that the message names.")
    public static let migrationChanged = ErrorCode(
        "migration-changed", .configuration,
        cause: "A migration that the database already has differs from its file, or its file is missing.",
        remedy: "Put the released file back and write the change as a new migration.")
    public static let migrationInterrupted = ErrorCode(
        "migration-interrupted", .wrongState,
        cause: "A migration stopped in the middle, and nobody knows whether its last statement took effect.",
        remedy: "Look at the schema, then settle the statement that the message names as done or undone.")
    public static let migrationBusy = ErrorCode(
        "migration-busy", .unavailable,
        cause: "Another runner is at work on the schema.",
        remedy:
            "Wait until it is done; the claim of a crashed runner ends at the time that the message names.")

    static let ofMariaDB: [ErrorCode] = [
        databaseUnavailable, databaseBusy, databaseDeadline, databaseContention, databaseDenied, databaseTLS,
        databaseReadOnly, databaseConflict, databaseValue, databaseStatement, databaseRow,
        databaseCommitUnknown,
        databaseClosed, databaseSettings, migrationInvalid, migrationChanged, migrationInterrupted,
        migrationBusy,
    ]
}
