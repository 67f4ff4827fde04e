// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Keyring
internal import MariaDB

/// What a backup holds, as the programs would read it from the database. The chains were followed from their first entry
/// to their last; what is under the codes of cluster keys waits for those to be opened.
public struct BackupContents: Sendable {
    public let head: BackupHead
    public let digest: Digest
    public let code: [UInt8]
    public private(set) var rows: [String: Int] = [:]
    public private(set) var clusterKeys: [WrappedKey] = []
    public private(set) var keys: [StoredKey] = []
    public private(set) var grants: [StoredGrant] = []
    public private(set) var proposals: [StoredProposal] = []
    public private(set) var audit = ChainHead.start
    public private(set) var records: [ServerName: ChainHead] = [:]

    public init(_ reader: inout BackupReader) throws {
        head = reader.head
        var rows: [String: Int] = [:]
        var gathered = Gathered()
        var table = (name: "", columns: [String]())
        while let frame = try reader.next() {
            switch frame {
            case .table(let name, let columns): table = (name, columns)
            case .row(let values):
                rows[table.name, default: 0] += 1
                try gathered.take(DatabaseRow(values: values, columns: table.columns), of: table.name)
            default: break
            }
        }
        guard let seal = reader.seal else { throw BackupFrame.malformed("it is cut off") }
        (digest, code) = (seal.digest, seal.code)
        self.rows = rows
        try gathered.expectHead()
        clusterKeys = gathered.clusterKeys
        keys = gathered.keys
        proposals = gathered.proposals
        grants = try gathered.grants()
        (audit, records) = (gathered.audit, gathered.records)
    }
}

private struct Gathered {
    var clusterKeys: [WrappedKey] = []
    var keys: [StoredKey] = []
    var proposals: [StoredProposal] = []
    var audit = ChainHead.start
    var records: [ServerName: ChainHead] = [:]
    private var head: ChainHead?
    private var grantRows: [[UInt8]: DatabaseRow] = [:]
    private var grantKeys: [[UInt8]: [DatabaseValue]] = [:]

    mutating func take(_ row: DatabaseRow, of table: String) throws {
        switch table {
        case "signing_cluster_key": clusterKeys.append(try ClusterKeyTable(plane: .data).key(row))
        case "certifying_cluster_key": clusterKeys.append(try ClusterKeyTable(plane: .control).key(row))
        case "signing_key": keys.append(try KeyTable(purpose: .signing).key(row))
        case "certifying_key": keys.append(try KeyTable(purpose: .certifying).key(row))
        case "proposal": proposals.append(try ProposalTable.proposal(row))
        case "signing_grant": grantRows[try row.bytes("id")] = row
        case "grant_key": grantKeys[try row.bytes("grant_id"), default: []].append(try row["key_id"])
        case "audit_head":
            head = ChainHead(sequence: try row.uint("sequence"), digest: try row.digest("digest"))
        case "audit_entry":
            let entry = try AuditEntry(decoding: row.bytes("body"))
            try audit.follow(entry.encoded, sequence: entry.sequence, previous: entry.previous)
        case "signature_record":
            let record = try SignatureRecord(decoding: row.bytes("body"))
            var chain = records[record.server] ?? .start
            do throws(KeyringError) {
                try chain.follow(record.encoded, sequence: record.sequence, previous: record.previous)
            } catch {
                throw StorageError(error.code, "records of \(record.server): \(error.message)")
            }
            records[record.server] = chain
        default: break
        }
    }

    func expectHead() throws {
        guard let head, head == audit else {
            throw StorageError(
                .chainBroken, "the audit in the backup does not end where its head says that it ends")
        }
    }

    /// Each with its keys, as the statement of `GrantTable` joins them.
    func grants() throws -> [StoredGrant] {
        try grantRows.map { id, row in
            let joined = (grantKeys[id] ?? []).map {
                DatabaseRow(values: row.values + [$0], columns: row.columns + ["key_id"])
            }
            return try GrantTable.grant(joined[...])
        }
    }
}
