// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import MariaDB

/// `revocation_list`.
enum RevocationListTable {
    private static let columns = "authority, number, previous, made_at, next_at, der"

    static func insert(_ list: StoredRevocationList, _ connection: DatabaseConnection) throws {
        let newest = try connection.execute(
            "SELECT MAX(number) AS number FROM revocation_list WHERE authority = ?", [list.authority.field]
        ).onlyRow()
        guard try (newest?.uintIfPresent("number") ?? 0) == list.previous, list.number > list.previous else {
            throw ProposalFaults.listMeanwhile
        }
        try refusing(ProposalFaults.listMeanwhile) {
            try connection.execute(
                "INSERT INTO revocation_list (\(columns)) VALUES (\(places(6)))",
                [
                    list.authority.field, .uint(list.number), .uint(list.previous), list.made.field,
                    list.next.field, .bytes(list.der),
                ])
        }
    }

    static func newest(of authority: KeyID, _ connection: DatabaseConnection) throws -> StoredRevocationList?
    {
        try connection.execute(
            "SELECT \(columns) FROM revocation_list WHERE authority = ? ORDER BY number DESC LIMIT 1",
            [authority.field]
        ).onlyRow().map { try list($0) }
    }

    static func list(of authority: KeyID, number: UInt64, _ connection: DatabaseConnection) throws
        -> StoredRevocationList?
    {
        try connection.execute(
            "SELECT \(columns) FROM revocation_list WHERE authority = ? AND number = ?",
            [authority.field, .uint(number)]
        ).onlyRow().map { try list($0) }
    }

    private static func list(_ row: DatabaseRow) throws -> StoredRevocationList {
        StoredRevocationList(
            authority: try row.id("authority"), number: try row.uint("number"),
            previous: try row.uint("previous"), made: try row.moment("made_at"),
            next: try row.moment("next_at"),
            der: try row.bytes("der"))
    }
}
