// SPDX-License-Identifier: Apache-2.0

internal import Keyring
internal import MariaDB

/// `signing_key` or `certifying_key`, which have the same columns.
struct KeyTable {
    let purpose: KeyPurpose

    var name: String { purpose == .signing ? "signing_key" : "certifying_key" }

    private static let constants = [
        "id", "scheme", "algorithm", "version", "public_key", "fingerprint", "created_at", "parent", "owner",
    ]
    private static let variables = [
        "name", "summary", "state", "expires_at", "certificate", "sealed", "code_key", "code", "edition",
        "is_guarded",
    ]
    static let columns = constants + variables

    /// Data-servers read tables of the third version of the schema too, where no key is guarded.
    private func rows(_ condition: String, _ values: [DatabaseValue], _ connection: DatabaseConnection) throws
        -> [DatabaseRow]
    {
        do {
            let columns = Self.columns.joined(separator: ", ")
            return try connection.execute("SELECT \(columns) FROM \(name) WHERE \(condition)", values).rows
        } catch {
            guard error.number == Self.unknownColumn else { throw error }
            let columns = Self.columns.dropLast().joined(separator: ", ")
            return try connection.execute(
                "SELECT \(columns), 0 AS is_guarded FROM \(name) WHERE \(condition)", values
            ).rows
        }
    }

    static let unknownColumn = 1054

    func insert(_ key: StoredKey, _ connection: DatabaseConnection) throws {
        let columns = Self.columns.joined(separator: ", ")
        try connection.execute(
            "INSERT INTO \(name) (\(columns)) VALUES (\(places(Self.columns.count)))",
            Self.constants(of: key.record) + Self.variables(of: key, edition: 1))
    }

    /// Writes the variables if the row still has the edition that was read.
    func update(_ key: StoredKey, _ connection: DatabaseConnection) throws -> Bool {
        let assignments = Self.variables.map { "\($0) = ?" }.joined(separator: ", ")
        return try connection.execute(
            "UPDATE \(name) SET \(assignments) WHERE id = ? AND edition = ?",
            Self.variables(of: key, edition: key.edition &+ 1) + [key.record.id.field, .uint(key.edition)]
        ).affectedRows == 1
    }

    private static func constants(of record: KeyRecord) -> [DatabaseValue] {
        [
            record.id.field, .text(record.scheme), .text(record.algorithm), .uint(UInt64(record.version)),
            .bytes(record.publicKey), .bytes(record.fingerprint), record.created.field,
            .id(ifPresent: record.parent), .id(ifPresent: record.owner),
        ]
    }

    private static func variables(of key: StoredKey, edition: UInt64) -> [DatabaseValue] {
        let record = key.record
        return [
            .text(record.name.text), .text(record.summary), .text(record.state),
            .time(ifPresent: record.expires), .bytes(record.certificate),
            .bytes(ifPresent: key.sealed?.encoded), key.code.clusterKey.field, .bytes(key.code.bytes),
            .uint(edition), .int(record.isGuarded ? 1 : 0),
        ]
    }

    func key(_ row: DatabaseRow) throws -> StoredKey {
        try reading("a key") {
            var record = try KeyRecord(
                id: row.id("id"), scheme: row.choice("scheme"), purpose: purpose,
                algorithm: row.choice("algorithm"), version: UInt32(clamping: row.uint("version")),
                publicKey: row.bytes("public_key"), fingerprint: row.bytes("fingerprint"),
                created: row.moment("created_at"), parent: row.idIfPresent("parent"),
                owner: row.idIfPresent("owner"), name: KeyName(row.text("name")),
                summary: row.text("summary"),
                state: row.choice("state"), expires: row.momentIfPresent("expires_at"),
                certificate: row.bytes("certificate"))
            record.isGuarded = try row.bool("is_guarded")
            return StoredKey(
                record: record, sealed: try row.bytesIfPresent("sealed").map { try SealedKey(decoding: $0) },
                code: try RowCode(clusterKey: row.id("code_key"), bytes: row.bytes("code")),
                edition: try row.uint("edition"))
        }
    }

    func key(_ id: KeyID, _ connection: DatabaseConnection) throws -> StoredKey? {
        try rows("id = ?", [id.field], connection).first.map { try key($0) }
    }

    func keys(_ ids: [KeyID], _ connection: DatabaseConnection) throws -> [StoredKey] {
        let read = try readableKeys(ids, connection)
        if let fault = read.faults.first { throw fault }
        return read.keys
    }

    /// Those that can be read; a bad row spoils no other.
    func readableKeys(_ ids: [KeyID], _ connection: DatabaseConnection) throws -> StoredKeys {
        guard !ids.isEmpty else { return StoredKeys([]) }
        let rows = try rows("id IN (\(places(ids.count)))", ids.map(\.field), connection)
        let (keys, faults) = try readingEach(rows) { try key($0) }
        return StoredKeys(keys, faults: faults)
    }

    /// Refuses when one of them is not as it was read.
    static func expect(_ seen: [StoredKey], _ connection: DatabaseConnection) throws {
        var editions: [KeyID: UInt64] = [:]
        for purpose in KeyPurpose.allCases {
            let ids = Set(seen.filter { $0.record.purpose == purpose }.map(\.record.id)).sorted()
            guard !ids.isEmpty else { continue }
            let rows = try connection.execute(
                "SELECT id, edition FROM \(KeyTable(purpose: purpose).name) WHERE id IN (\(places(ids.count)))",
                ids.map(\.field)
            ).rows
            for row in rows { editions[try row.id("id")] = try row.uint("edition") }
        }
        for key in seen where editions[key.record.id] != key.edition {
            throw KeyFaults.changedMeanwhile(key.record)
        }
    }

    /// The living key of that name.
    func key(named name: KeyName, _ connection: DatabaseConnection) throws -> StoredKey? {
        try rows("name = ? AND state NOT IN ('deleted', 'destroyed')", [.text(name.text)], connection).first
            .map { try key($0) }
    }
}
