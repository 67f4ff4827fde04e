// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Why the schema was not moved. The message names the file or the migration and what to do.
public struct MigrationError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    public var description: String { message }

    static func invalid(_ message: String) -> MigrationError {
        MigrationError(code: .migrationInvalid, message: message)
    }

    static func changed(_ message: String) -> MigrationError {
        MigrationError(code: .migrationChanged, message: message)
    }

    static func interrupted(_ message: String) -> MigrationError {
        MigrationError(code: .migrationInterrupted, message: message)
    }

    static func busy(_ message: String) -> MigrationError {
        MigrationError(code: .migrationBusy, message: message)
    }
}
