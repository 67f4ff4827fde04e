// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import MariaDB

/// `proposal`.
enum ProposalTable {
    private static let columns = "body, code_key, code, edition"

    /// Adds one that was never written, or writes one that still has the edition that was read.
    static func write(_ stored: StoredProposal, _ connection: DatabaseConnection) throws {
        let proposal = stored.proposal
        let values: [DatabaseValue] = [
            .text(proposal.state), .bytes(proposal.encoded), stored.code.clusterKey.field,
            .bytes(stored.code.bytes), .uint(stored.edition &+ 1),
        ]
        guard stored.edition > 0 else {
            try ClusterKeyTable.expect(stored.code, .control, connection)
            try refusing(ProposalFaults.changedMeanwhile) {
                try connection.execute(
                    """
                    INSERT INTO proposal (id, operation, key_id, created_at, state, body, code_key, code, edition)
                        VALUES (\(places(9)))
                    """,
                    [
                        proposal.id.field, .text(proposal.operation), .bytes(proposal.subject.bytes),
                        proposal.requester.time.field,
                    ] + values)
            }
            return
        }
        let written = try connection.execute(
            "UPDATE proposal SET state = ?, body = ?, code_key = ?, code = ?, edition = ? WHERE id = ? AND edition = ?",
            values + [proposal.id.field, .uint(stored.edition)])
        guard written.affectedRows == 1 else { throw ProposalFaults.changedMeanwhile }
    }

    static func proposal(_ id: ProposalID, _ connection: DatabaseConnection) throws -> StoredProposal? {
        try connection.execute("SELECT \(columns) FROM proposal WHERE id = ?", [id.field]).onlyRow()
            .map { try proposal($0) }
    }

    static func proposals(_ query: ProposalQuery, _ connection: DatabaseConnection) throws -> [StoredProposal]
    {
        var conditions: [String] = []
        var values: [DatabaseValue] = []
        if let state = query.state {
            conditions.append("state = ?")
            values.append(.text(state))
        }
        if let operation = query.operation {
            conditions.append("operation = ?")
            values.append(.text(operation))
        }
        if let subjects = query.subjects {
            guard !subjects.isEmpty else { return [] }
            conditions.append("key_id IN (\(places(subjects.count)))")
            values += subjects.map { .bytes($0.bytes) }
        }
        let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        values += [
            .int(Int64(min(max(0, query.limit), ProposalQuery.largest))), .int(Int64(max(0, query.offset))),
        ]
        return try connection.execute(
            "SELECT \(columns) FROM proposal \(condition) ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
            values
        ).rows.map { try proposal($0) }
    }

    static func proposal(_ row: DatabaseRow) throws -> StoredProposal {
        try reading("a request for approval") {
            StoredProposal(
                proposal: try Proposal(decoding: row.bytes("body")),
                code: try RowCode(clusterKey: row.id("code_key"), bytes: row.bytes("code")),
                edition: try row.uint("edition"))
        }
    }
}

/// What both versions of the stores refuse.
enum ProposalFaults {
    static let changedMeanwhile = KeyringError(
        .changedMeanwhile, "the request was approved or ended by somebody else")
    static let freezeMeanwhile = KeyringError(
        .changedMeanwhile, "somebody else let signing go on, or stopped it anew")
    static let approverGone = KeyringError(
        .changedMeanwhile, "one of those who approved is no administrator any more")
    static func hasChildren(_ record: KeyRecord) -> KeyringError {
        KeyringError(
            .keyInUse, "the key \(record.name): other keys hang on it, which have to be deleted first")
    }
    static let listMeanwhile = KeyringError(
        .changedMeanwhile, "the authority made another revocation list meanwhile")
}
