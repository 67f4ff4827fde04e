// SPDX-License-Identifier: Apache-2.0

public import Cryptography
public import Signatures

/// The signatures that were made, to be read.
public protocol RecordArchive: Sendable {
    /// The record of a client's job.
    func record(of job: JobID, by client: ClientIdentity) async throws -> SignatureRecord?
    /// The newest first.
    func records(_ query: RecordQuery) async throws -> [SignatureRecord]
    /// One server's chain after that number, the oldest first.
    func chain(of server: ServerName, after sequence: UInt64, limit: Int) async throws -> [SignatureRecord]
}

/// Whose chains there are, for whoever follows all of them.
public protocol RecordServers: Sendable {
    /// The servers that have records, by name.
    func servers() async throws -> [ServerName]
}

/// Where one data-server writes. Its rows are added, never changed.
public protocol RecordStore: RecordArchive {
    /// Writes the drafts as the next links of the server's chain in one transaction, and tells what became of each, in
    /// their order. One that cannot be written does not keep its neighbours from being written.
    ///
    /// Only `.stored` and `.known` give a signature away. When it throws, nobody may give any of the signatures away:
    /// the same drafts may be appended again, and are then found or written.
    func append(_ drafts: [RecordDraft]) async throws -> [RecordOutcome]
}

/// What became of a draft.
public enum RecordOutcome: Hashable, Sendable {
    /// It is written; its signature may be given away.
    case stored(SignatureRecord)
    /// The job was done before: this is its record, whose signature is the answer.
    case known(SignatureRecord)
    /// The client used the job's id before, with another key, kind or claim.
    case conflict
    /// It was judged under an older revision than this, and is not written: judge anew, then append again.
    case stale(Revision)
}

/// Which records to list.
public struct RecordQuery: Hashable, Sendable {
    public var key: KeyID?
    public var client: ClientIdentity?
    public var content: Digest?
    public var kind: SigningKind?
    public var server: ServerName?
    public var from: Moment?
    /// Not included.
    public var to: Moment?
    public var offset = 0
    /// At most `largest`.
    public var limit = 100

    public static let largest = 1000

    public init() {}

    public func includes(_ record: SignatureRecord) -> Bool {
        let draft = record.draft
        return (key == nil || draft.ruling.key == key)
            && (client == nil || draft.ruling.client.identity == client)
            && (content == nil || draft.content == content) && (kind == nil || draft.ruling.kind == kind)
            && (server == nil || record.server == server) && (from.map { $0 <= draft.time } ?? true)
            && (to.map { draft.time < $0 } ?? true)
    }
}
