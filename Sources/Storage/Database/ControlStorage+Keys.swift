// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
public import Keyring
internal import MariaDB

extension ControlStorage: KeyStore {
    @discardableResult
    public func add(_ keys: [StoredKey], seen: [StoredKey], _ event: AuditEvent) async throws -> Revision {
        try await change(event) { connection in
            try KeyTable.expect(seen, connection)
            for key in keys { try Self.insert(key, connection) }
        }.revision
    }

    private static func insert(_ key: StoredKey, _ connection: DatabaseConnection) throws {
        let record = key.record
        try ClusterKeyTable.expect(key.code, record.purpose.plane, connection)
        try refusing(KeyFaults.exists(record)) {
            try connection.execute(
                "INSERT INTO public_key (digest, key_id, purpose) VALUES (?, ?, ?)",
                [.bytes(record.publicKeyDigest.bytes), record.id.field, .text(record.purpose)])
        }
        if !record.state.freesName { try takeName(record, connection) }
        try refusing(KeyFaults.exists(record)) {
            try KeyTable(purpose: record.purpose).insert(key, connection)
        }
    }

    private static func takeName(_ record: KeyRecord, _ connection: DatabaseConnection) throws {
        try refusing(KeyFaults.nameTaken(record.name)) {
            try connection.execute(
                "INSERT INTO key_name (name, key_id) VALUES (?, ?)",
                [.text(record.name.text), record.id.field])
        }
    }

    @discardableResult
    public func change(_ change: KeyChange, _ event: AuditEvent) async throws -> StoredKey {
        try await self.change(event) { connection in
            let key = change.key
            let record = key.record
            let table = KeyTable(purpose: record.purpose)
            guard let known = try table.key(record.id, connection) else {
                throw KeyFaults.notFound(record.id.description)
            }
            guard record.hasConstants(of: known.record) else { throw KeyFaults.otherConstants(record) }
            guard known.edition == key.edition, try table.update(key, connection) else {
                throw KeyFaults.changedMeanwhile(record)
            }
            if known.record.name != record.name || known.record.state.freesName != record.state.freesName {
                try connection.execute("DELETE FROM key_name WHERE key_id = ?", [record.id.field])
                if !record.state.freesName { try Self.takeName(record, connection) }
            }
            for other in change.others { try Self.update(other, connection) }
            try Self.write(change, connection)
            return StoredKey(record: record, sealed: key.sealed, code: key.code, edition: key.edition &+ 1)
        }.value
    }

    /// Of a row that changes along with another one, and keeps its name.
    private static func update(_ key: StoredKey, _ connection: DatabaseConnection) throws {
        let record = key.record
        let table = KeyTable(purpose: record.purpose)
        guard let known = try table.key(record.id, connection) else {
            throw KeyFaults.notFound(record.id.description)
        }
        guard record.hasConstants(of: known.record), record.name == known.record.name,
            record.state.freesName == known.record.state.freesName
        else { throw KeyFaults.otherConstants(record) }
        guard known.edition == key.edition, try table.update(key, connection) else {
            throw KeyFaults.changedMeanwhile(record)
        }
    }

    public func key(_ id: KeyID) async throws -> StoredKey? {
        try await read { connection in
            let row = try connection.execute("SELECT purpose FROM public_key WHERE key_id = ?", [id.field])
                .onlyRow()
            guard let row else { return nil }
            return try KeyTable(purpose: row.choice("purpose")).key(id, connection)
        }
    }

    public func key(named name: KeyName) async throws -> StoredKey? {
        try await read { connection in
            // Once more, for the name may have gone to another key between the two statements.
            for _ in 0..<2 {
                let row = try connection.execute(
                    """
                    SELECT p.key_id, p.purpose FROM key_name n JOIN public_key p ON p.key_id = n.key_id
                        WHERE n.name = ?
                    """, [.text(name.text)]
                ).onlyRow()
                guard let row else { return nil }
                let key = try KeyTable(purpose: row.choice("purpose")).key(row.id("key_id"), connection)
                if key.map({ $0.record.name == name && !$0.record.state.freesName }) ?? true { return key }
            }
            throw StorageError(
                .rowForged, "the name \(name) leads to a key of another name; somebody edited the database")
        }
    }

    /// The ids of the page first, from narrow rows; then its keys.
    public func keys(_ query: KeyQuery) async throws -> KeyPage {
        try await read { connection in
            var total = 0
            var selects: [String] = []
            var values: [DatabaseValue] = []
            for purpose in KeyPurpose.allCases where query.purpose == nil || query.purpose == purpose {
                let (condition, fields) = Self.condition(query)
                let table = KeyTable(purpose: purpose).name
                total += Int(
                    try connection.execute("SELECT COUNT(*) AS n FROM \(table) \(condition)", fields)
                        .onlyRow()?.int("n") ?? 0)
                selects.append("SELECT id, name, '\(purpose.rawValue)' AS purpose FROM \(table) \(condition)")
                values += fields
            }
            let limit = min(max(0, query.limit), KeyQuery.largest)
            let rows = try connection.execute(
                "\(selects.joined(separator: " UNION ALL ")) ORDER BY name, id LIMIT ? OFFSET ?",
                values + [.int(Int64(limit)), .int(Int64(max(0, query.offset)))]
            ).rows
            var found: [KeyID: StoredKey] = [:]
            for purpose in KeyPurpose.allCases {
                let ids: [KeyID] = try rows.filter { try $0.text("purpose") == purpose.rawValue }.map {
                    try $0.id("id")
                }
                for key in try KeyTable(purpose: purpose).keys(ids, connection) { found[key.record.id] = key }
            }
            return KeyPage(keys: try rows.compactMap { found[try $0.id("id")] }, total: total)
        }
    }

    private static func condition(_ query: KeyQuery) -> (String, [DatabaseValue]) {
        var conditions: [String] = []
        var values: [DatabaseValue] = []
        if !query.schemes.isEmpty {
            conditions.append("scheme IN (\(query.schemes.map { _ in "?" }.joined(separator: ", ")))")
            values += query.schemes.map { .text($0) }
        }
        if let parent = query.parent {
            conditions.append("parent = ?")
            values.append(parent.field)
        }
        if let state = query.state {
            conditions.append("state = ?")
            values.append(.text(state))
        } else if !query.withDeleted {
            conditions.append("state NOT IN ('deleted', 'destroyed')")
        }
        switch query.sight {
        case .all: break
        case .publicOnly: conditions.append("owner IS NULL")
        case .privateOf(let user):
            conditions.append("owner = ?")
            values.append(user.field)
        case .publicAndPrivateOf(let user):
            conditions.append("(owner IS NULL OR owner = ?)")
            values.append(user.field)
        }
        if let states = query.states {
            conditions.append("state IN (\(places(states.count)))")
            values += states.map { .text($0) }
        }
        if let end = query.expiresUntil {
            conditions.append("expires_at <= ?")
            values.append(end.field)
        }
        if !query.nameContains.isEmpty {
            conditions.append("INSTR(name, ?) > 0")
            values.append(.text(query.nameContains))
        }
        return (conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "), values)
    }
}

extension ControlStorage: ClusterKeyStore {
    public func add(_ key: WrappedKey, _ event: AuditEvent) async throws {
        try await change(event) { connection in
            try refusing(KeyringError(.conflict, "the cluster key \(key.id) is there already")) {
                try ClusterKeyTable(plane: key.plane).insert(key, connection)
            }
        }
    }

    public func clusterKeys(of plane: Plane) async throws -> [WrappedKey] {
        try await read { try ClusterKeyTable(plane: plane).keys($0) }
    }

    public func clusterKey(_ id: ClusterKeyID) async throws -> WrappedKey? {
        try await read { connection in
            for plane in Plane.allCases {
                if let key = try ClusterKeyTable(plane: plane).key(id, connection) { return key }
            }
            return nil
        }
    }
}

/// Runs statements, and says in the trade's words what a duplicate of them means.
@discardableResult
func refusing<Value>(_ fault: KeyringError, _ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as DatabaseError where error.kind == .duplicateKey {
        throw fault
    }
}
