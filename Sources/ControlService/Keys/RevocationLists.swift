// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

/// What each authority revoked, as lists that it signs. A list is made when it is asked for and kept for a while; those
/// who ask while it is made wait for the same one, so that strangers who ask often cost nothing.
///
/// The number of a list is its time in seconds, so that it grows on every server.
final class RevocationLists: Sendable {
    private enum Place {
        case made(pem: String, until: Moment)
        case making(Task<String, any Error>)
    }

    private let keys: any KeyStore
    private let ring: ClusterKeyRing
    private let clock: Clock
    private let places = Lock<[KeyID: Place]>([:])

    init(keys: any KeyStore, ring: ClusterKeyRing, clock: @escaping Clock) {
        self.keys = keys
        self.ring = ring
        self.clock = clock
    }

    private static let kept: Duration = .seconds(600)
    private static let life: Duration = .seconds(30 * 86_400)

    /// In PEM.
    func list(of authority: StoredKey) async throws -> String {
        let id = authority.record.id
        let now = clock()
        let place = places.withLock { places -> Place in
            switch places[id] {
            case .made(_, let until) where until <= now: break
            case let place?: return place
            case nil: break
            }
            // A task of its own: it goes on when the one who asked first goes away.
            let place = Place.making(Task.detached { [self] in try await self.renew(authority, at: now) })
            places[id] = place
            return place
        }
        switch place {
        case .made(let pem, _): return pem
        case .making(let task): return try await task.value
        }
    }

    private func renew(_ authority: StoredKey, at now: Moment) async throws -> String {
        let id = authority.record.id
        do {
            let pem = try await make(authority, at: now)
            places.withLock { $0[id] = .made(pem: pem, until: now + Self.kept) }
            return pem
        } catch {
            places.withLock { $0[id] = nil }
            throw error
        }
    }

    private func make(_ authority: StoredKey, at now: Moment) async throws -> String {
        let date = try TransportAuthority.time(now)
        var entries: [RevocationListDraft.Entry] = []
        for key in try await revoked(by: authority.record.id) {
            let certificate = try Certificate.chain(der: key.certificate.span)[0]
            entries.append(RevocationListDraft.Entry(serialNumber: certificate.serialNumber, date: date))
        }
        let nextUpdate = try TransportAuthority.time(now + Self.life)
        return try await ring.certify(authority, at: now) { [entries] issuer in
            let draft = RevocationListDraft(
                issuer: issuer.certificate, number: UInt64(max(1, now.seconds)), thisUpdate: date,
                nextUpdate: nextUpdate, entries: entries)
            return try draft.signed(by: issuer.handle(.sha256)).pem
        }
    }

    /// Looks at the codes of all rows that hang on the authority: one that somebody edited into another state would
    /// otherwise be missing in silence.
    private func revoked(by authority: KeyID) async throws -> [KeyRecord] {
        var query = KeyQuery()
        query.parent = authority
        query.withDeleted = true
        query.limit = KeyQuery.largest
        var records: [KeyRecord] = []
        while true {
            let page = try await keys.keys(query)
            for key in page.keys {
                try await ring.check(key)
                if key.record.state == .revoked { records.append(key.record) }
            }
            query.offset += page.keys.count
            guard !page.keys.isEmpty, query.offset < page.total else { return records }
        }
    }
}
