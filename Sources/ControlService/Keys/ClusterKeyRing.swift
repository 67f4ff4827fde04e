// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
public import Keyring
internal import Signatures

/// The cluster keys of both planes as the control plane uses them: unwrapped when they are first needed, and kept.
///
/// What is written is sealed and authenticated under the newest key of its plane; what was read is looked at under the
/// key that it names.
public final class ClusterKeyRing: Sendable {
    private let store: any ClusterKeyStore
    private let wrapping: any KeyWrapping
    private let certifying: (any KeyWrapping)?
    private let sharesKeys: Bool
    private let known = Lock<[ClusterKeyID: ClusterKey]>([:])

    /// `certifying` wraps the cluster keys of the control plane; without it the one service wraps all. `sharesKeys`: whether
    /// one key may wrap those of both planes.
    public init(
        store: any ClusterKeyStore, wrapping: any KeyWrapping, certifying: (any KeyWrapping)? = nil,
        sharesKeys: Bool = true
    ) {
        self.store = store
        self.wrapping = wrapping
        self.certifying = certifying
        self.sharesKeys = sharesKeys
    }

    private func service(of plane: Plane) -> any KeyWrapping {
        plane == .control ? certifying ?? wrapping : wrapping
    }

    /// Makes the first key of a plane that has none. Several servers may do so at once: the newest counts for all that
    /// is written from then on, and the other stays for what was sealed in between.
    public func prepare(by caller: Caller, at now: Moment) async throws {
        for plane in Plane.allCases where try await store.clusterKeys(of: plane).isEmpty {
            _ = try await make(plane, created: now, by: caller, at: now)
        }
    }

    // MARK: Rotation

    /// A new cluster key, under which everything of the plane is written from now on.
    func rotate(_ plane: Plane, by caller: Caller, at now: Moment) async throws -> ClusterKeyID {
        let newest = try await store.clusterKeys(of: plane).first
        // The newest one counts, so it has to be newer, whatever a clock says.
        let created = max(now, newest.map { $0.created + .microseconds(1) } ?? now)
        let key = try await make(plane, created: created, by: caller, at: now)
        known.withLock { $0[key.id] = key }
        return key.id
    }

    private func make(_ plane: Plane, created: Moment, by caller: Caller, at now: Moment) async throws
        -> ClusterKey
    {
        let made = try await ClusterKey.make(plane, wrappedBy: service(of: plane), at: created)
        let (provider, wrapper) = (made.wrapped.provider, made.wrapped.secret.key)
        // Data-servers can have what their service wrapped.
        if plane == .control, !sharesKeys,
            let other = try await store.clusterKeys(of: .data).first, other.provider == provider,
            other.secret.key == wrapper
        {
            throw ControlError(
                .kmsKeyShared,
                "[memory.certifying-kms-provider]: the key \(wrapper) wraps what data-servers open")
        }
        try await store.add(
            made.wrapped,
            caller.event(
                .clusterKeyCreate, made.wrapped.id.description, at: now,
                [("plane", plane.rawValue), ("provider", provider), ("wrapping-key", wrapper)]))
        return made.key
    }

    /// The row with its private half sealed anew.
    @concurrent func resealed(_ stored: StoredKey, under id: ClusterKeyID) async throws -> StoredKey {
        let (old, new) = (try await key(stored.code.clusterKey), try await key(id))
        guard stored.sealed != nil else {
            try old.checkRow(stored)
            return try new.store(stored.record, sealed: nil, edition: stored.edition)
        }
        let unsealed = try old.unseal(stored)
        return try unsealed.resealed(under: new, edition: stored.edition)
    }

    func recoded(_ stored: StoredGrant, under id: ClusterKeyID) async throws -> StoredGrant {
        try await check(stored)
        return try await key(id).store(stored.grant)
    }

    func recoded(_ stored: StoredProposal, under id: ClusterKeyID) async throws -> StoredProposal {
        try await check(stored)
        let row = try await key(id).store(stored.proposal)
        return StoredProposal(proposal: row.proposal, code: row.code, edition: stored.edition)
    }

    /// Throws when the key service could not open a cluster key now.
    public func checkHealth() async throws {
        try await wrapping.checkHealth()
        try await certifying?.checkHealth()
    }

    // MARK: Rows

    /// The row of a new key.
    func sealed(_ record: KeyRecord, _ key: PrivateKey) async throws -> StoredKey {
        try await sealing(record.purpose.plane).seal(key, for: record)
    }

    func sealed(_ grant: Grant) async throws -> StoredGrant {
        // Data-servers read it.
        try await sealing(.data).store(grant)
    }

    /// The row of a key whose private half stays elsewhere.
    func outside(_ record: KeyRecord) async throws -> StoredKey {
        try await sealing(record.purpose.plane).store(record, sealed: nil)
    }

    /// Refuses a row that somebody edited.
    func check(_ stored: StoredKey) async throws { try await key(stored.code.clusterKey).checkRow(stored) }
    func check(_ stored: StoredGrant) async throws { try await key(stored.code.clusterKey).checkRow(stored) }
    func check(_ stored: StoredProposal) async throws {
        try await key(stored.code.clusterKey).checkRow(stored)
    }

    /// The row after a change of its record, under the key that it was under.
    func changed(_ stored: StoredKey, to record: KeyRecord) async throws -> StoredKey {
        try await key(stored.code.clusterKey).store(record, insteadOf: stored)
    }

    /// The row of a key whose private half is gone for ever.
    func erased(_ stored: StoredKey, to record: KeyRecord) async throws -> StoredKey {
        let cluster = try await key(stored.code.clusterKey)
        try cluster.checkRow(stored)
        return try cluster.store(record, sealed: nil, edition: stored.edition)
    }

    /// A request for approval that is new.
    func stored(_ proposal: Proposal) async throws -> StoredProposal {
        try await sealing(.control).store(proposal)
    }

    func changed(_ stored: StoredProposal, to proposal: Proposal) async throws -> StoredProposal {
        try await key(stored.code.clusterKey).store(proposal, insteadOf: stored)
    }

    /// Lets `body` certify, or list revocations, with an authority's key, which is open for just as long: nothing is
    /// awaited meanwhile. Refuses a row that somebody edited, and an authority that may not do it now.
    @concurrent func sign<Value: Sendable>(
        as stored: StoredKey, at now: Moment, for action: KeyAction = .certify,
        _ body: @Sendable (borrowing Issuer) throws -> Value
    ) async throws -> Value {
        try Self.checkSigns(stored.record, at: now, for: action)
        let unsealed = try await key(stored.code.clusterKey).unseal(stored)
        let issuer = Issuer(
            record: stored.record, certificate: try Certificate(der: stored.record.certificate.span),
            key: try unsealed.certifying(for: action, at: now))
        return try body(issuer)
    }

    /// Lets `body` sign with a key what its owner says about the key itself: its end, its revocation, a root's certificate.
    @concurrent func sign<Value: Sendable>(
        aboutItself stored: StoredKey, for action: KeyAction, _ digest: DigestAlgorithm,
        _ body: @Sendable (SigningHandle) throws -> Value
    ) async throws -> Value {
        let unsealed = try await key(stored.code.clusterKey).unseal(stored)
        let algorithm = stored.record.algorithm.signature(digest)
        return try body(SigningHandle(unsealed.stating(for: action), algorithm))
    }

    /// What can be told without opening the key.
    static func checkSigns(_ record: KeyRecord, at now: Moment, for action: KeyAction = .certify) throws {
        guard record.scheme == .ca else {
            throw ControlError(
                .keySchemeMismatch, "the key \(record.name) is no authority, and certifies nothing")
        }
        _ = try record.applying(action)
        guard action != .certify || !record.isExpired(at: now) else {
            throw ControlError(.keyExpired, "the key \(record.name) has expired")
        }
    }

    // MARK: Keys

    private func sealing(_ plane: Plane) async throws -> ClusterKey {
        // Asked each time, since another server may have made a newer one.
        guard let first = try await store.clusterKeys(of: plane).first else {
            throw ControlError(.unavailable, "there is no cluster key for the \(plane.rawValue) plane yet")
        }
        return try await open(first)
    }

    func key(_ id: ClusterKeyID) async throws -> ClusterKey {
        if let key = known.withLock({ $0[id] }) { return key }
        guard let wrapped = try await store.clusterKey(id) else {
            throw ControlError(
                .sealBroken, "the cluster key \(id) is not in the database")
        }
        return try await open(wrapped)
    }

    private func unwrapped(_ wrapped: WrappedKey) async throws -> ClusterKey {
        do {
            return try await wrapped.unwrapped(by: service(of: wrapped.plane))
        } catch {
            // From before the plane had a service of its own: good until the next rotation.
            let code = (error as? any CodedError)?.code
            guard wrapped.plane == .control, certifying != nil, code == .kmsKeyUnusable || code == .sealBroken
            else { throw error }
            do { return try await wrapped.unwrapped(by: wrapping) } catch _ { throw error }
        }
    }

    /// Two who open the same key at once do the same work twice, and harm nothing.
    private func open(_ wrapped: WrappedKey) async throws -> ClusterKey {
        if let key = known.withLock({ $0[wrapped.id] }) { return key }
        let key = try await unwrapped(wrapped)
        known.withLock { $0[wrapped.id] = key }
        return key
    }
}

/// An authority with its private key, for the length of one act.
struct Issuer: ~Copyable {
    let record: KeyRecord
    let certificate: Certificate
    private let key: PrivateKey

    init(record: KeyRecord, certificate: Certificate, key: PrivateKey) {
        self.record = record
        self.certificate = certificate
        self.key = key
    }

    /// With a digest that the key is strong enough for.
    func handle(_ digest: DigestAlgorithm) throws -> SigningHandle {
        let usual = record.algorithm.usualDigest
        return try SigningHandle(key, record.algorithm.signature(digest.count < usual.count ? usual : digest))
    }
}
