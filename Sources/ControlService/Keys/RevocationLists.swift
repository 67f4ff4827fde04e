// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

/// What each authority revoked, as lists that it signs. A list is made when it is asked for and kept for a while, so that
/// strangers who ask often cost nothing.
///
/// The number of a list is its time in seconds, so that it grows on every server.
final class RevocationLists: Sendable {
    private let keys: any KeyStore
    private let ring: ClusterKeyRing
    private let clock: Clock
    private let made = Lock<[KeyID: (pem: String, until: Moment)]>([:])

    init(keys: any KeyStore, ring: ClusterKeyRing, clock: @escaping Clock) {
        self.keys = keys
        self.ring = ring
        self.clock = clock
    }

    private static let kept: Duration = .seconds(600)
    private static let life: Duration = .seconds(30 * 86_400)

    /// In PEM.
    func list(of authority: StoredKey) async throws -> String {
        let now = clock()
        if let known = made.withLock({ $0[authority.record.id] }), now < known.until { return known.pem }
        let issuer = try await ring.issuer(authority, at: now)
        let date = try TransportAuthority.time(now)
        var entries: [RevocationListDraft.Entry] = []
        for key in try await revoked(by: authority.record.id) {
            let certificate = try Certificate(der: key.certificate.span)
            entries.append(RevocationListDraft.Entry(serialNumber: certificate.serialNumber, date: date))
        }
        let draft = RevocationListDraft(
            issuer: issuer.certificate, number: UInt64(max(1, now.seconds)), thisUpdate: date,
            nextUpdate: try TransportAuthority.time(now + Self.life), entries: entries)
        let pem = try draft.signed(by: issuer.handle(.sha256)).pem
        made.withLock { $0[authority.record.id] = (pem, now + Self.kept) }
        return pem
    }

    private func revoked(by authority: KeyID) async throws -> [KeyRecord] {
        var query = KeyQuery()
        query.parent = authority
        query.state = .revoked
        query.limit = KeyQuery.largest
        var records: [KeyRecord] = []
        while true {
            let page = try await keys.keys(query)
            records += page.keys.map(\.record)
            query.offset += page.keys.count
            guard !page.keys.isEmpty, query.offset < page.total else { return records }
        }
    }
}
