// SPDX-License-Identifier: Apache-2.0

/// What the database says about one migration.
struct MigrationRecord: Hashable {
    enum State: String {
        case applying
        case applied
        case reverting
    }

    var number: Int
    var name: String
    var upChecksum: [UInt8]
    var downChecksum: [UInt8]
    var state: State
    /// Statements of the present direction: how many were begun, how many are known to be done.
    var begun: Int
    var done: Int
    /// Over those that are done (`SQLScript.checksum(ofFirst:)`).
    var doneChecksum: [UInt8]

    var direction: MigrationFileName.Direction { state == .reverting ? .down : .up }
}

extension MigrationRecord {
    static let columns = "number, name, up_checksum, down_checksum, state, begun, done, done_checksum"

    init(_ row: DatabaseRow) throws(DatabaseError) {
        number = Int(clamping: try row.uint("number"))
        name = try row.text("name")
        upChecksum = try row.bytes("up_checksum")
        downChecksum = try row.bytes("down_checksum")
        guard let state = State(rawValue: try row.text("state")) else {
            throw DatabaseError(.badStatement, "schema_migration \(number) has an unknown state")
        }
        self.state = state
        begun = Int(clamping: try row.uint("begun"))
        done = Int(clamping: try row.uint("done"))
        doneChecksum = try row.bytes("done_checksum")
    }
}

/// Where the schema stands.
public struct MigrationStatus: Hashable, Sendable {
    /// The last migration that is applied in full; 0 for none.
    public let version: Int
    /// One that stopped between two statements and can go on.
    public let unfinished: Int?
    /// Labels of what the folder has beyond.
    public let pending: [String]
}

extension Migrations {
    /// Compares the folder with the database and refuses what does not fit together. `records` are sorted by number.
    func status(_ records: [MigrationRecord]) throws(MigrationError) -> MigrationStatus {
        for (place, record) in records.enumerated() {
            let label = "\(MigrationFileName.padded(record.number))_\(record.name)"
            guard record.number == place + 1 else {
                throw .changed(
                    "the database has migration \(label) but not \(MigrationFileName.padded(place + 1))")
            }
            guard place < all.count else {
                throw .changed(
                    "the database has migration \(label), which the folder lacks; use the release that brought it"
                )
            }
            try check(record, all[place], isLast: place == records.count - 1)
        }
        let unfinished = records.last { $0.state != .applied }
        return MigrationStatus(
            version: records.count - (unfinished == nil ? 0 : 1), unfinished: unfinished?.number,
            pending: all.dropFirst(records.count).map { $0.label })
    }

    private func check(_ record: MigrationRecord, _ migration: Migration, isLast: Bool) throws(MigrationError)
    {
        guard record.name == migration.name else {
            throw .changed(
                "migration \(migration.label) is called \(record.name) in the database; put the released name back"
            )
        }
        if record.state == .applied {
            for (direction, checksum) in [(.up, record.upChecksum), (.down, record.downChecksum)]
                as [(MigrationFileName.Direction, [UInt8])]
            where migration.script(direction).checksum != checksum {
                throw .changed(
                    """
                    \(migration.file(direction)) changed after it was applied; put the released file back and \
                    write the change as a new migration
                    """)
            }
            return
        }
        let file = migration.file(record.direction)
        guard isLast else { throw .changed("\(file) is unfinished, but later migrations are applied") }
        let script = migration.script(record.direction)
        guard record.begun == record.done else {
            let line = script.statements.dropFirst(record.done).first.map { ":\($0.line)" } ?? ""
            throw .interrupted(
                """
                \(file)\(line): a runner stopped in statement \(record.begun) of \(script.statements.count); look \
                whether it took effect, then settle it as done or undone
                """)
        }
        guard record.done <= script.statements.count,
            script.checksum(ofFirst: record.done) == record.doneChecksum
        else {
            throw .changed(
                "\(file): its first \(record.done) statements were carried out and have changed since; put them back"
            )
        }
    }
}
