// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
public import Keyring
internal import Signatures

/// The keys: made, looked up, enabled and disabled, and their public parts handed out.
///
/// Every row's authentication code is looked at before anything of it is shown, used or changed: a row that somebody
/// edited in the database is an error, in a list too.
public struct KeyRegister: Sendable {
    let keys: any KeyStore
    let stores: any ProposalStore & UserStore
    public let ballot: Ballot
    let ring: ClusterKeyRing
    let rules: ApprovalRules
    let clock: Clock
    let lists: RevocationLists

    public init(
        keys: any KeyStore & ProposalStore & RevocationListStore & UserStore, ring: ClusterKeyRing,
        rules: ApprovalRules = ApprovalRules(), clock: @escaping Clock
    ) {
        self.keys = keys
        stores = keys
        ballot = Ballot(stores: keys, ring: ring, rules: rules, clock: clock)
        self.ring = ring
        self.rules = rules
        self.clock = clock
        lists = RevocationLists(keys: keys, proposals: keys, lists: keys, ring: ring, clock: clock)
    }

    // MARK: Reading

    public func list(_ query: KeyQuery, for caller: Caller) async throws -> KeyPage {
        try caller.require(.readKeys)
        let page = try await keys.keys(query)
        for key in page.keys {
            try await ring.check(key)
            guard caller.sight.includes(key.record.owner) else {
                throw ControlError(.internalError, "a private key of somebody else was about to be shown")
            }
        }
        return page
    }

    public func key(_ idOrName: String, for caller: Caller) async throws -> StoredKey {
        try caller.require(.readKeys)
        return try await find(idOrName, for: caller)
    }

    /// Whether a new key may have the name.
    public func isFree(_ name: KeyName, isPrivate: Bool = false, for caller: Caller) async throws -> Bool {
        try caller.require(.readKeys)
        guard name.owner == nil else {
            throw ControlError(.invalidArgument, "name: without \":\" and an owner")
        }
        return try await keys.key(named: isPrivate ? Self.privateName(name, of: caller) : name) == nil
    }

    // MARK: Public parts: for everybody, those of a private key for its owner

    /// The armored OpenPGP certificate.
    public func publicKey(_ idOrName: String, for caller: Caller?) async throws -> String {
        let record = try await exported(idOrName, for: caller)
        guard record.scheme == .openpgp else {
            throw ControlError(.keySchemeMismatch, "the key \(record.name) has a certificate, no OpenPGP key")
        }
        return try Self.armored(record)
    }

    /// The X.509 certificate in PEM.
    public func certificate(_ idOrName: String, for caller: Caller?) async throws -> String {
        let record = try await exported(idOrName, for: caller)
        guard record.scheme != .openpgp else {
            throw ControlError(
                .keySchemeMismatch, "the key \(record.name) is an OpenPGP key, without certificate")
        }
        return try Certificate.chain(der: record.certificate.span)[0].pem
    }

    /// What an authority revoked, in PEM: the present list, or an old one.
    public func revocationList(_ idOrName: String, number: UInt64? = nil, for caller: Caller?) async throws
        -> String
    {
        let stored = try await find(idOrName, for: caller)
        guard stored.record.scheme == .ca else {
            throw ControlError(.notFound, "the key \(stored.record.name) is no authority and revokes nothing")
        }
        if let number { return try await lists.list(of: stored, number: number) }
        return try await lists.list(of: stored)
    }

    private func exported(_ idOrName: String, for caller: Caller?) async throws -> KeyRecord {
        try await find(idOrName, for: caller).record.applying(.export)
    }

    /// A key that the caller may see; a private key of somebody else is not there for him.
    func find(_ idOrName: String, for caller: Caller?) async throws -> StoredKey {
        let stored = try await any(idOrName)
        guard (caller?.sight ?? .publicOnly).includes(stored.record.owner) else {
            throw Self.noKey(idOrName)
        }
        return stored
    }

    /// A key that the caller may change: a public one with the ability, a private one as its owner.
    func find(_ idOrName: String, for caller: Caller, to ability: Ability) async throws -> StoredKey {
        let stored: StoredKey
        do {
            stored = try await find(idOrName, for: caller)
        } catch let error as ControlError where error.code == .keyNotFound {
            // Who may change nothing hears that first.
            try caller.require(ability)
            throw error
        }
        try caller.require(stored.record.owner == nil || caller.user == nil ? ability : .ownKeys)
        return stored
    }

    private static func noKey(_ idOrName: String) -> ControlError {
        ControlError(.keyNotFound, "there is no key \(idOrName.prefix(80))")
    }

    /// `owner:name`
    static func privateName(_ name: KeyName, of caller: Caller) throws -> KeyName {
        guard let user = caller.user else {
            throw ControlError(.invalidArgument, "visibility: a program has no private keys")
        }
        return try KeyName("\(user.name):\(name.text)")
    }

    /// For the control plane itself.
    func any(_ idOrName: String) async throws -> StoredKey {
        var stored: StoredKey?
        if let id = KeyID(idOrName) {
            stored = try await keys.key(id)
        } else if let name = try? KeyName(idOrName) {
            // What cannot be a name is no key's name.
            stored = try await keys.key(named: name)
        }
        guard let stored else { throw Self.noKey(idOrName) }
        try await ring.check(stored)
        return stored
    }

    // MARK: Making

    /// A new key; public ones begin disabled, private ones enabled.
    public func generate(_ order: KeyOrder, by caller: Caller) async throws -> StoredKey {
        try caller.require(order.isPrivate ? .ownKeys : .manageKeys)
        var order = order
        if order.isPrivate {
            order.name = try Self.privateName(order.name, of: caller)
            order.owner = caller.user?.id
        }
        let now = clock()
        guard now < order.expires else {
            throw ControlError(.invalidArgument, "expire_at: it lies in the past")
        }
        guard try await keys.key(named: order.name) == nil else {
            throw ControlError(.keyNameTaken, "there is a key \(order.name)")
        }
        if case .openpgp(let userID, signingSubkey: true) = order.sort {
            return try await generatePair(order, userID, by: caller, at: now)
        }
        let parent = try await parent(of: order, for: caller, at: now)
        let key = try await Self.generate(order.algorithm)
        var record = try await record(order, key, parent, from: now + .seconds(-Self.backdating))
        record.isGuarded = order.isGuarded
        let stored = try await ring.sealed(record, key)
        try await keys.add(
            [stored], seen: parent.map { [$0] } ?? [],
            Self.generation(of: record, by: caller, at: now))
        return try await any(record.id.description)
    }

    /// What the audit says of a new key.
    static func generation(
        of record: KeyRecord, by caller: Caller, at now: Moment, _ more: [(String, String)] = []
    ) throws -> AuditEvent {
        try caller.event(
            .keyGenerate, record.id.description, at: now,
            [
                ("name", record.name.text), ("scheme", record.scheme.rawValue),
                ("algorithm", record.algorithm.rawValue), ("fingerprint", Hex.encode(record.fingerprint)),
            ] + more)
    }

    /// A key begins a minute ago, so that a server whose clock lags signs with it, and who checks that signature does
    /// not find it older than its key.
    static let backdating = 60

    /// Large RSA keys take seconds, which no loop has: a task of its own does not run on the caller's.
    static func generate(_ algorithm: KeyAlgorithm) async throws -> PrivateKey {
        try await Task.detached { try PrivateKey.generate(algorithm) }.value
    }

    private func parent(of order: KeyOrder, for caller: Caller, at now: Moment) async throws -> StoredKey? {
        let name: String
        switch order.sort {
        case .openpgp, .authority: return nil
        case .intermediate(_, let parent), .signer(_, let parent, _): name = parent
        }
        let parent = try await find(name, for: caller)
        guard parent.record.owner == order.owner else {
            throw ControlError(
                .invalidArgument, "parent_id: \(parent.record.name) has another visibility than the key")
        }
        try ClusterKeyRing.checkSigns(parent.record, at: now)
        guard order.expires <= parent.record.expires ?? order.expires else {
            throw ControlError(.invalidArgument, "expire_at: it lies behind the end of \(parent.record.name)")
        }
        return parent
    }

    @concurrent private func record(
        _ order: KeyOrder, _ key: PrivateKey, _ parent: StoredKey?, from start: Moment
    ) async throws -> KeyRecord {
        switch order.sort {
        case .openpgp(let userID, _):
            return try Self.openPGPRecord(order, userID, key, at: start)
        case .authority(let subject), .intermediate(let subject, _), .signer(let subject, _, _):
            let draft = CertificateDraft(
                subject: subject, key: key.publicKey, serial: try .random(),
                notBefore: try TransportAuthority.time(start),
                notAfter: try TransportAuthority.time(order.expires), profile: order.sort.profile)
            let certificate: Certificate
            if let parent {
                certificate = try await ring.sign(as: parent, at: clock()) { issuer in
                    try draft.begun(within: issuer.certificate)
                        .signed(by: issuer.handle(order.digest), issuer: issuer.certificate)
                }
            } else {
                certificate = try draft.selfSigned(
                    by: SigningHandle(key, order.algorithm.signature(order.digest)))
            }
            let spki = try key.publicKey.spki()
            let scheme = order.sort.profile.scheme ?? .ca
            let isLeaf = scheme != .ca
            return try KeyRecord(
                id: .random(), scheme: scheme, purpose: isLeaf ? .signing : .certifying,
                algorithm: order.algorithm, publicKey: spki,
                fingerprint: Digest(hashing: spki.span, with: .sha256).bytes, created: start,
                parent: parent?.record.id, owner: order.owner, name: order.name, summary: order.summary,
                state: order.firstState,
                expires: order.expires,
                certificate: certificate.der + Self.authorities(of: scheme, below: parent))
        }
    }
}

extension KeyOrder.Sort {
    fileprivate var profile: CertificateProfile {
        switch self {
        // An OpenPGP key has no certificate.
        case .openpgp: .moduleSigner
        case .signer(_, _, let scheme): CertificateProfile(signersOf: scheme) ?? .moduleSigner
        case .authority: .authority(pathLength: 1)
        case .intermediate: .authority(pathLength: 0)
        }
    }
}

extension CertificateDraft {
    /// Certificates begin a little before they are made, for clocks that are behind; an authority that came here may be
    /// younger than that.
    func begun(within issuer: Certificate) -> CertificateDraft {
        var draft = self
        draft.notBefore = max(notBefore, issuer.notBefore)
        return draft
    }
}
