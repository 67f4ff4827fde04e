// SPDX-License-Identifier: Apache-2.0

import Cryptography
import DataService
import Diagnostics
import Keyring
import Secrets
import Signatures
import TestSupport

/// A key service in memory: what it wraps is under a key of its own.
final class PocketKMS: KeyWrapping {
    let provider = "pocket"
    private let key: SecretBytes
    private let away = Lock(false)

    init() throws { key = try Random.secret(32) }

    /// From now on it answers nothing, or answers again.
    func set(away value: Bool) { away.withLock { $0 = value } }

    func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let nonce = try Random.bytes(AESGCM.nonceCount)
        let sealed = try AESGCM.seal(
            secret.bytes, key: key, nonce: nonce.span, associatedData: associatedData.span)
        return WrappedSecret(key: "k", version: "1", ciphertext: nonce + sealed)
    }

    func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        try await checkHealth()
        let nonce = Array(wrapped.ciphertext.prefix(AESGCM.nonceCount))
        let sealed = Array(wrapped.ciphertext.dropFirst(AESGCM.nonceCount))
        return try AESGCM.open(sealed.span, key: key, nonce: nonce.span, associatedData: associatedData.span)
    }

    func checkHealth() async throws {
        if away.withLock({ $0 }) { throw Away(message: "the key service does not answer") }
    }
}

/// What a store or service throws that is away.
struct Away: CodedError {
    var code: ErrorCode { .unavailable }
    var message: String
}

/// What a store says of a row that it cannot read.
struct Damaged: CodedError {
    var code: ErrorCode { .rowForged }
    var message: String
}

/// A whole database in memory, with faults to order.
final class Farm: SigningKeySource, RecordStore {
    struct Faults: Sendable {
        /// Every call throws.
        var isAway = false
        /// Records are stored, but the answer is lost, that many times.
        var lostCommits = 0
        /// The database's clock goes this much ahead.
        var clockAhead: Duration = .zero
        /// A record that holds this job makes every transaction with it fail.
        var poison: JobID?
        /// Rows that cannot be read.
        var unreadableGrants: [Damaged] = []
        var unreadableKeys: [KeyID] = []
        /// Appending waits for this to be false.
        var hangs = false
    }

    private struct State {
        var revision: UInt64 = 1
        var keys: [KeyID: StoredKey] = [:]
        var wrapped: [ClusterKeyID: WrappedKey] = [:]
        var grants: [StoredGrant] = []
        var denied: Set<DeniedClient> = []
        var frozen = FrozenKeys()
        var records: [SignatureRecord] = []
        var head = ChainHead.start
        var faults = Faults()
        var queries = 0
        var batches: [Int] = []
    }

    let kms: PocketKMS
    let cluster: ClusterKey
    private let wrapping: any KeyWrapping
    private let server: ServerName
    private let state = Lock(State())

    /// The cluster keys are wrapped by `wrapping`, or by the farm's own service.
    init(wrappedBy wrapping: (any KeyWrapping)? = nil) async throws {
        kms = try PocketKMS()
        self.wrapping = wrapping ?? kms
        server = try ServerName("data-1")
        let (cluster, wrapped) = try await ClusterKey.make(.data, wrappedBy: self.wrapping, at: .now())
        self.cluster = cluster
        state.withLock { $0.wrapped[wrapped.id] = wrapped }
    }

    /// Another cluster key.
    func addCluster() async throws -> ClusterKey {
        let (cluster, wrapped) = try await ClusterKey.make(.data, wrappedBy: wrapping, at: .now())
        change { $0.wrapped[wrapped.id] = wrapped }
        return cluster
    }

    /// Puts a key under another cluster key.
    func move(_ id: KeyID, from old: ClusterKey? = nil, to cluster: ClusterKey) throws {
        guard let row = row(id) else { return }
        let moved = try (old ?? self.cluster).unseal(row).resealed(under: cluster, edition: row.edition)
        change { $0.keys[id] = moved }
    }

    // MARK: What a control plane does

    /// Adds a key.
    @discardableResult
    func add(
        _ name: String, _ pair: PrivateKey, scheme: SigningScheme = .openpgp, fingerprint: [UInt8]? = nil,
        certificate: [UInt8] = [], state keyState: KeyState = .enabled, created: Moment? = nil,
        expires: Moment? = nil
    ) throws -> KeyRecord {
        let spki = try pair.publicKey.spki()
        let digest = Digest(hashing: spki.span, with: .sha256).bytes
        let record = try KeyRecord(
            id: .random(), scheme: scheme, purpose: .signing, algorithm: pair.algorithm, publicKey: spki,
            fingerprint: fingerprint ?? (scheme == .openpgp ? Array(digest.prefix(20)) : digest),
            created: created ?? .now() + .seconds(-60), name: KeyName(name), state: keyState,
            expires: expires,
            certificate: certificate)
        let stored = try cluster.seal(pair, for: record)
        change { $0.keys[record.id] = stored }
        return record
    }

    /// Changes a key's row, as the control plane would.
    func change(_ id: KeyID, _ body: (inout KeyRecord) -> Void) throws {
        guard let stored = state.withLock({ $0.keys[id] }) else { return }
        var record = stored.record
        body(&record)
        let row = try cluster.store(record, insteadOf: stored)
        change { $0.keys[id] = row }
    }

    /// Puts a row there past the control plane.
    func forge(_ row: StoredKey) { change { $0.keys[row.record.id] = row } }
    func forge(_ row: StoredGrant) { change { $0.grants.append(row) } }
    func row(_ id: KeyID) -> StoredKey? { state.withLock { $0.keys[id] } }

    @discardableResult
    func grant(
        _ keys: [KeyRecord], kinds: Set<SigningKind>, to value: String, of authority: [UInt8],
        sort: ClientIdentity.Sort = .uri, expires: Moment? = nil, networks: Set<Network> = []
    ) throws -> Grant {
        let grant = try Grant(
            id: .random(), clients: IdentityPattern(authority: authority, sort: sort, value: value),
            keys: Set(keys.map(\.id)), kinds: kinds, created: .now(), expires: expires, networks: networks)
        let stored = try cluster.store(grant)
        change { $0.grants.append(stored) }
        return grant
    }

    func revoke(_ grant: Grant) { change { $0.grants.removeAll { $0.grant.id == grant.id } } }
    func freeze(_ frozen: FrozenKeys) { change { $0.frozen = frozen } }
    func deny(_ client: DeniedClient) { change { $0.denied.insert(client) } }

    /// Changes something and bumps the revision, as one transaction.
    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.revision += 1
        }
    }

    // MARK: Faults and looks

    func set(_ body: (inout Faults) -> Void) { state.withLock { body(&$0.faults) } }
    var records: [SignatureRecord] { state.withLock { $0.records } }
    var revision: Revision { Revision(state.withLock { $0.revision }) }
    var queries: Int { state.withLock { $0.queries } }
    var batches: [Int] { state.withLock { $0.batches } }

    private func ask<Value: Sendable>(_ body: (State) -> Value) throws -> Value {
        try state.withLock { state in
            state.queries += 1
            guard !state.faults.isAway else { throw Away(message: "the database does not answer") }
            return body(state)
        }
    }

    // MARK: SigningKeySource

    func pulse() async throws -> Pulse {
        try ask { Pulse(revision: Revision($0.revision), time: .now() + $0.faults.clockAhead) }
    }

    func access() async throws -> StoredAccess {
        try ask { state in
            StoredAccess(
                revision: Revision(state.revision), grants: state.grants, denied: state.denied,
                frozen: state.frozen,
                faults: state.faults.unreadableGrants)
        }
    }

    func signingKey(_ id: KeyID) async throws -> StoredKey? { try ask { $0.keys[id] } }

    func signingKey(named name: KeyName) async throws -> StoredKey? {
        try ask { state in state.keys.values.first { $0.record.name == name && !$0.record.state.freesName } }
    }

    func signingKeys(_ ids: [KeyID]) async throws -> StoredKeys {
        try ask { state in
            let (bad, good) = (state.faults.unreadableKeys, ids.compactMap { state.keys[$0] })
            return StoredKeys(
                good.filter { !bad.contains($0.record.id) },
                faults: bad.map { _ in Damaged(message: "a key") })
        }
    }

    func dataClusterKey(_ id: ClusterKeyID) async throws -> WrappedKey? {
        try ask { $0.wrapped[id] }
    }

    // MARK: RecordStore

    func append(_ drafts: [RecordDraft]) async throws -> [RecordOutcome] {
        while state.withLock({ $0.faults.hangs }) { try await Task.sleep(for: .milliseconds(2)) }
        return try state.withLock { state in
            state.queries += 1
            guard !state.faults.isAway else { throw Away(message: "the database does not answer") }
            if let poison = state.faults.poison, drafts.contains(where: { $0.job == poison }) {
                throw Away(message: "a row that cannot be written")
            }
            state.batches.append(drafts.count)
            let outcomes = drafts.map { place($0, &state) }
            if state.faults.lostCommits > 0 {
                state.faults.lostCommits -= 1
                throw Away(message: "the answer to COMMIT was lost")
            }
            return outcomes
        }
    }

    private func place(_ draft: RecordDraft, _ state: inout State) -> RecordOutcome {
        guard draft.ruling.revision.number == state.revision else { return .stale(Revision(state.revision)) }
        let client = draft.ruling.client.identity
        if let known = state.records.first(where: {
            $0.draft.job == draft.job && $0.draft.ruling.client.identity == client
        }) {
            return known.draft.asksTheSame(as: draft) ? .known(known) : .conflict
        }
        let record = SignatureRecord(draft, by: server, after: state.head)
        state.records.append(record)
        state.head = record.head
        return .stored(record)
    }

    func record(of job: JobID, by client: ClientIdentity) async throws -> SignatureRecord? {
        records.first { $0.draft.job == job && $0.draft.ruling.client.identity == client }
    }
    func records(_ query: RecordQuery) async throws -> [SignatureRecord] {
        records.reversed().filter { query.includes($0) }
    }
    func chain(of server: ServerName, after sequence: UInt64, limit: Int) async throws -> [SignatureRecord] {
        Array(records.filter { $0.sequence > sequence }.prefix(limit))
    }
}
