// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Keyring
internal import MariaDB

/// `signature_record`.
enum RecordTable {
    static let batch = BatchInsert(
        into: "signature_record",
        columns: [
            "server", "sequence", "job", "client", "key_id", "kind", "content", "signed_at", "digest", "body",
        ])

    /// `client` is the identity's digest, which many rows share.
    static func fields(_ record: SignatureRecord, client: [UInt8]) -> [DatabaseValue] {
        let draft = record.draft
        return [
            .text(record.server.text), .uint(record.sequence), draft.job.field,
            .bytes(client), draft.ruling.key.field,
            .text(draft.ruling.kind),
            content(draft.content), draft.time.field, .bytes(record.digest.bytes), .bytes(record.encoded),
        ]
    }

    /// The revision, and the end of the server's chain, in one round trip.
    static func head(of server: ServerName, _ connection: DatabaseConnection) throws -> (Revision, ChainHead)
    {
        let row = try connection.execute(
            """
            SELECT v.number, r.sequence, r.digest FROM revision v LEFT JOIN signature_record r ON r.server = ?
                AND r.sequence = (SELECT MAX(sequence) FROM signature_record WHERE server = ?) WHERE v.id = 1
            """, [.text(server.text), .text(server.text)]
        ).onlyRow()
        guard let row else { throw RevisionTable.missing }
        let revision = Revision(try row.uint("number"))
        guard let sequence = try row.uintIfPresent("sequence") else { return (revision, .start) }
        return (revision, ChainHead(sequence: sequence, digest: try row.digest("digest")))
    }

    /// Those of the jobs that have a record, of whatever client.
    static func records(of jobs: [JobID], _ connection: DatabaseConnection) throws -> [SignatureRecord] {
        guard !jobs.isEmpty else { return [] }
        return try connection.execute(
            "SELECT body FROM signature_record WHERE job IN (\(places(jobs.count)))", jobs.map(\.field)
        ).rows.map { try record($0) }
    }

    static func record(of job: JobID, by client: ClientIdentity, _ connection: DatabaseConnection) throws
        -> SignatureRecord?
    {
        try connection.execute(
            "SELECT body FROM signature_record WHERE job = ? AND client = ?",
            [job.field, .bytes(digest(of: client))]
        ).onlyRow().map { try record($0) }
    }

    static func records(_ query: RecordQuery, _ connection: DatabaseConnection) throws -> [SignatureRecord] {
        var conditions: [String] = []
        var values: [DatabaseValue] = []
        func add(_ condition: String, _ value: DatabaseValue?) {
            guard let value else { return }
            conditions.append(condition)
            values.append(value)
        }
        add("key_id = ?", query.key?.field)
        add("client = ?", query.client.map { .bytes(digest(of: $0)) })
        add("content = ?", query.content.map { content($0) })
        add("kind = ?", query.kind.map { .text($0) })
        add("server = ?", query.server.map { .text($0.text) })
        add("signed_at >= ?", query.from?.field)
        add("signed_at < ?", query.to?.field)
        let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        values += [
            .int(Int64(min(max(0, query.limit), RecordQuery.largest))), .int(Int64(max(0, query.offset))),
        ]
        return try connection.execute(
            """
            SELECT body FROM signature_record \(condition)
                ORDER BY signed_at DESC, server DESC, sequence DESC LIMIT ? OFFSET ?
            """, values
        ).rows.map { try record($0) }
    }

    static func servers(_ connection: DatabaseConnection) throws -> [ServerName] {
        try connection.execute("SELECT DISTINCT server FROM signature_record ORDER BY server").rows.map {
            row in
            try reading("a signature record") { try ServerName(row.text("server")) }
        }
    }

    static func chain(
        of server: ServerName, after sequence: UInt64, limit: Int, _ connection: DatabaseConnection
    ) throws -> [SignatureRecord] {
        try connection.execute(
            "SELECT body FROM signature_record WHERE server = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            [.text(server.text), .uint(sequence), .int(Int64(max(0, limit)))]
        ).rows.map { try record($0) }
    }

    private static func record(_ row: DatabaseRow) throws -> SignatureRecord {
        try SignatureRecord(decoding: row.bytes("body"))
    }

    static func digest(of client: ClientIdentity) -> [UInt8] {
        let text = Array(client.description.utf8)
        return Digest(hashing: text.span, with: .sha256).bytes
    }

    private static func content(_ digest: Digest?) -> DatabaseValue {
        guard let digest else { return .null }
        return .bytes(Array(digest.algorithm.rawValue.utf8) + [0] + digest.bytes)
    }
}
