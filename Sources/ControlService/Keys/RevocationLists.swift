// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

/// What each authority revoked, as lists that it signs.
///
/// A list is made at each revocation, in the same transaction, and again before the last one ends. All of them are kept.
/// The first is made when it is asked for; those who ask meanwhile wait for the same one. A number is the time in
/// seconds, or the next one after the last.
final class RevocationLists: Sendable {
    private let keys: any KeyStore
    private let proposals: any ProposalStore
    let store: any RevocationListStore
    private let ring: ClusterKeyRing
    private let clock: Clock
    private let making = Lock<[KeyID: Task<StoredRevocationList, any Error>]>([:])

    init(
        keys: any KeyStore, proposals: any ProposalStore, lists: any RevocationListStore,
        ring: ClusterKeyRing,
        clock: @escaping Clock
    ) {
        self.keys = keys
        self.proposals = proposals
        store = lists
        self.ring = ring
        self.clock = clock
    }

    private static let life: Duration = .seconds(30 * 86_400)
    /// Before its end the next one is made.
    private static let margin: Duration = .seconds(23 * 86_400)

    /// The present list, in PEM.
    func list(of authority: StoredKey) async throws -> String {
        if let newest = try await store.newestList(of: authority.record.id), clock() < newest.next {
            return try Self.pem(newest)
        }
        return try Self.pem(await renew(authority))
    }

    /// An old one.
    func list(of authority: StoredKey, number: UInt64) async throws -> String {
        guard let list = try await store.list(of: authority.record.id, number: number) else {
            throw ControlError(.notFound, "the key \(authority.record.name) made no list \(number)")
        }
        return try Self.pem(list)
    }

    private static func pem(_ list: StoredRevocationList) throws -> String {
        do {
            return try CertificateRevocationList(der: list.der.span).pem
        } catch is CryptographyError {
            throw ControlError(
                .rowForged, "the revocation list \(list.number) in the database cannot be read")
        }
    }

    // MARK: Making

    /// The next list, in the database; of several who want one at once, one makes it.
    func renew(_ authority: StoredKey) async throws -> StoredRevocationList {
        let id = authority.record.id
        let task = making.withLock { making in
            if let task = making[id] { return task }
            // A task of its own: it goes on when the one who asked first goes away.
            let task = Task.detached { [self] in
                defer { self.making.withLock { $0[id] = nil } }
                return try await self.makeFirst(authority)
            }
            making[id] = task
            return task
        }
        return try await task.value
    }

    private func makeFirst(_ authority: StoredKey) async throws -> StoredRevocationList {
        for _ in 0..<Self.tries {
            let now = clock()
            let list = try await next(of: authority, with: [], at: now)
            do {
                try await store.add(
                    list,
                    Caller(program: "control-server").event(
                        .revocationList, authority.record.id.description, at: now,
                        [("name", authority.record.name.text), ("number", String(list.number))]))
                return list
            } catch let error as KeyringError where error.code == .changedMeanwhile {
                // Another server, or a revocation, made one.
                if let newest = try await store.newestList(of: authority.record.id), now < newest.next {
                    return newest
                }
            }
        }
        throw ControlError(
            .changedMeanwhile, "the lists of \(authority.record.name) are being made at the moment")
    }

    private static let tries = 5

    /// Whether the newest list lacks something, or will soon be too old.
    func isDue(_ authority: StoredKey) async throws -> Bool {
        guard let newest = try await store.newestList(of: authority.record.id) else { return true }
        if newest.next + (.zero - Self.margin) <= clock() { return true }
        let listed = try CertificateRevocationList(der: newest.der.span).entries.map(\.serialNumber)
        // Looked at each minute, so those alone that may be on it, of any number of children.
        let revoked = try await entries(of: authority.record.id, in: Self.statesOfRevoked)
        return Set(listed) != Set(revoked.map(\.serialNumber))
    }

    private static let statesOfRevoked: Set<KeyState> = [
        .revoked, .revokedPendingDeletion, .deleted, .destroyed,
    ]

    /// The list after the newest one, with what the database says and these revocations, which are about to be written.
    func next(
        of authority: StoredKey, with more: [(key: KeyRecord, proposal: Proposal)], at now: Moment
    ) async throws -> StoredRevocationList {
        let id = authority.record.id
        // The newest number first: what is revoked afterwards makes another list, and then this one is not taken.
        let previous = try await store.newestList(of: id)?.number ?? 0
        var entries = try await entries(of: id)
        for (key, proposal) in more {
            let former = try await store.formerCertificates(of: [key.id])
            entries += try Self.entries(key, former, proposal)
        }
        let number = max(previous + 1, UInt64(max(1, now.seconds)))
        let end = now + Self.life
        return try await ring.sign(as: authority, at: now, for: .listRevocations) { [entries] issuer in
            let draft = RevocationListDraft(
                issuer: issuer.certificate, number: number, thisUpdate: try TransportAuthority.time(now),
                nextUpdate: try TransportAuthority.time(end), entries: entries)
            return StoredRevocationList(
                authority: id, number: number, previous: previous, made: now, next: end,
                der: try draft.signed(by: issuer.handle(.sha256)).der)
        }
    }

    /// What the authority revoked, the first first. A key that was deleted or destroyed since stays on the list.
    ///
    /// The codes of all rows that hang on the authority are looked at: one that somebody edited into another state would
    /// otherwise be missing in silence.
    private func entries(of authority: KeyID, in states: Set<KeyState>? = nil) async throws
        -> [RevocationListDraft.Entry]
    {
        var query = KeyQuery()
        query.states = states
        query.parent = authority
        query.withDeleted = true
        query.limit = KeyQuery.largest
        var entries: [RevocationListDraft.Entry] = []
        while true {
            let page = try await keys.keys(query)
            let revocations = try await revocations(of: page.keys)
            let former = Dictionary(
                grouping: try await store.formerCertificates(of: Set(revocations.keys)), by: \.key)
            for key in page.keys {
                try await ring.check(key)
                if let revocation = revocations[key.record.id] {
                    entries += try Self.entries(key.record, former[key.record.id] ?? [], revocation)
                } else if key.record.state == .revoked || key.record.state == .revokedPendingDeletion {
                    throw ControlError(
                        .rowForged, "the key \(key.record.name) is revoked, and the request to do so is gone")
                }
            }
            query.offset += page.keys.count
            guard !page.keys.isEmpty, query.offset < page.total else { break }
        }
        return entries.sorted {
            ($0.date.secondsSince1970, $0.serialNumber.count) < (
                $1.date.secondsSince1970, $1.serialNumber.count
            )
        }
    }

    private func revocations(of page: [StoredKey]) async throws -> [KeyID: Proposal] {
        var query = ProposalQuery()
        query.operation = .revocation
        query.state = .done
        query.subjects = Set(page.map { .key($0.record.id) })
        query.limit = ProposalQuery.largest
        var found: [KeyID: Proposal] = [:]
        for stored in try await proposals.proposals(query) {
            try await ring.check(stored)
            if let key = stored.proposal.key { found[key] = stored.proposal }
        }
        return found
    }

    /// Of the present certificate and of those that it took the place of.
    private static func entries(
        _ key: KeyRecord, _ former: [FormerCertificate], _ proposal: Proposal
    ) throws -> [RevocationListDraft.Entry] {
        let certificate = try Certificate.chain(der: key.certificate.span)[0]
        let date = try TransportAuthority.time(proposal.closed ?? proposal.requester.time)
        return (former.map(\.serialNumber) + [certificate.serialNumber]).map { serial in
            RevocationListDraft.Entry(
                serialNumber: serial, date: date, reason: (proposal.reason ?? .unspecified).number)
        }
    }
}

extension RevocationReason {
    /// As a list has it.
    var number: CertificateRevocationList.Reason {
        switch self {
        case .unspecified: .unspecified
        case .keyCompromise: .keyCompromise
        case .authorityCompromise: .authorityCompromise
        case .affiliationChanged: .affiliationChanged
        case .superseded: .superseded
        case .cessationOfOperation: .cessationOfOperation
        case .certificateHold: .certificateHold
        case .privilegeWithdrawn: .privilegeWithdrawn
        case .attributeAuthorityCompromise: .attributeAuthorityCompromise
        }
    }
}
