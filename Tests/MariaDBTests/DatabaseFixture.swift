// SPDX-License-Identifier: Apache-2.0

import Foundation
import MariaDB
import TestSupport

/// The server that suites share which neither stop it nor change its settings; tables have names of their own.
///
/// With `SIGNET_TEST_MYSQL=user:password-file@host:port/database` these suites run on that server instead.
enum DatabaseFixture {
    static let server = Result { try DatabaseServer() }

    static let other: String? = ProcessInfo.processInfo.environment["SIGNET_TEST_MYSQL"]

    static func settings() throws -> DatabaseSettings {
        if let other { return try parse(other) }
        return try settings(server.get())
    }

    static func settings(_ server: DatabaseServer) -> DatabaseSettings {
        DatabaseSettings(
            servers: [.socket(path: server.socket)], user: "signet", passwordFile: server.passwordFile,
            database: "signet")
    }

    static func open() throws -> DatabaseConnection { try DatabaseConnection.open(settings()) }

    /// A fresh table, dropped first, with the columns that SQL names.
    static func table(_ name: String, _ columns: String, on connection: DatabaseConnection) throws {
        try connection.executeDirectly("DROP TABLE IF EXISTS \(name)")
        try connection.executeDirectly(
            "CREATE TABLE \(name) (\(columns)) ENGINE=InnoDB CHARACTER SET utf8mb4")
    }

    private static func parse(_ text: String) throws -> DatabaseSettings {
        let pattern = /([^:@]+):([^@]*)@([^:]+):(\d+)\/(\w+)/
        guard let match = text.wholeMatch(of: pattern), let port = UInt16(match.4) else {
            throw DatabaseServer.Unavailable(
                description: "SIGNET_TEST_MYSQL is not user:password-file@host:port/database")
        }
        return DatabaseSettings(
            servers: [.address(host: String(match.3), port: port)], user: String(match.1),
            passwordFile: match.2.isEmpty ? nil : String(match.2), database: String(match.5))
    }
}

/// The kind of the database error that `body` throws, or `nil`.
func kind(of body: () throws -> Void) -> DatabaseError.Kind? {
    do { try body() } catch { return (error as? DatabaseError)?.kind }
    return nil
}
