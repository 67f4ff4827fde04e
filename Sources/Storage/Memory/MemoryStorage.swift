// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// All ports in memory, for tests and for trying things out. It keeps the same promises as the database, but for
/// outliving the process.
public final class MemoryStorage: Sendable {
    struct State {
        var revision = Revision(1)
        var audit: [AuditEntry] = []
        var auditHead = ChainHead.start
        var clusterKeys: [WrappedKey] = []
        var keys: [KeyID: StoredKey] = [:]
        var grants: [GrantID: StoredGrant] = [:]
        var denied: Set<DeniedClient> = []
        var freezes: [Proposal.Subject: Freeze] = [:]
        var users: [UserID: User] = [:]
        var tokens: [TokenID: APIToken] = [:]
        var revoked: Set<TokenID> = []
        var proposals: [ProposalID: StoredProposal] = [:]
        var lists: [KeyID: [StoredRevocationList]] = [:]
        var formerCertificates: [FormerCertificate] = []
        var chains: [ServerName: [SignatureRecord]] = [:]
        var jobs: [MemoryRecords.Job: SignatureRecord] = [:]
    }

    let state = Lock(State())
    private let now: @Sendable () -> Moment

    /// `now` is the clock of what stands for the database.
    public init(now: @escaping @Sendable () -> Moment) { self.now = now }

    /// One data-server's side of the records.
    public func records(of server: ServerName) -> MemoryRecords { MemoryRecords(self, server) }

    /// One change: all of it, or nothing.
    func change<Value: Sendable>(
        _ event: AuditEvent, _ body: @Sendable (inout State) throws -> Value
    ) throws -> (value: Value, revision: Revision) {
        try state.withLock { state in
            if case .user(let id, _) = event.actor, state.users[id]?.isDisabled ?? true {
                throw AccountFaults.actorGone
            }
            var next = state
            let value = try body(&next)
            let entry = AuditEntry(event, after: next.auditHead)
            next.audit.append(entry)
            next.auditHead = entry.head
            next.revision = Revision(next.revision.number + 1)
            state = next
            return (value, next.revision)
        }
    }

    func read<Value: Sendable>(_ body: @Sendable (State) throws -> Value) rethrows -> Value {
        try state.withLock { state in try body(state) }
    }

    func pulseNow() -> Pulse { Pulse(revision: read { $0.revision }, time: now()) }
}

extension MemoryStorage: AuditStore {
    public func entries(after sequence: UInt64, limit: Int) async throws -> [AuditEntry] {
        read { Array($0.audit.drop { $0.sequence <= sequence }.prefix(max(0, limit))) }
    }

    public func auditHead() async throws -> ChainHead { read { $0.auditHead } }
}

extension MemoryStorage: SigningKeySource {
    public func pulse() async throws -> Pulse { pulseNow() }

    public func access() async throws -> StoredAccess {
        read { state in
            StoredAccess(
                revision: state.revision, grants: state.sortedGrants, denied: state.denied,
                frozen: FrozenKeys(
                    all: state.freezes[.everything] != nil,
                    keys: Set(state.freezes.values.compactMap(\.key))))
        }
    }

    public func signingKey(_ id: KeyID) async throws -> StoredKey? {
        read { $0.keys[id] }.flatMap { $0.record.purpose == .signing ? $0 : nil }
    }

    public func signingKey(named name: KeyName) async throws -> StoredKey? {
        read { $0.key(named: name) }.flatMap { $0.record.purpose == .signing ? $0 : nil }
    }

    public func signingKeys(_ ids: [KeyID]) async throws -> StoredKeys {
        StoredKeys(
            read { state in Set(ids).compactMap { state.keys[$0] } }.filter { $0.record.purpose == .signing })
    }

    public func dataClusterKey(_ id: ClusterKeyID) async throws -> WrappedKey? {
        read { $0.clusterKeys.first { $0.id == id && $0.plane == .data } }
    }
}
