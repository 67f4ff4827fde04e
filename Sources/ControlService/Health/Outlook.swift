// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
public import Diagnostics
public import Keyring
internal import Signatures

/// What ends within some time: keys that sign or certify, certificates of the transport, revocation lists.
public struct Outlook: Sendable {
    /// Something with an end.
    public struct Ending: Hashable, Sendable {
        /// A key's name, an authority's, or a file.
        public let name: String
        public let end: Moment

        /// Negative once it is over.
        public func daysLeft(at now: Moment) -> Double { (end - now) / Duration.seconds(86_400) }
    }

    /// The first to end first, at most `most` of each. Private keys have no name here: whoever watches does not see them.
    public var keys: [Ending] = []
    public var certificates: [Ending] = []
    public var lists: [Ending] = []

    public init() {}

    static let most = 100
    /// Keys that end later are of no concern yet.
    static let horizon: Duration = .seconds(90 * 86_400)

    /// `files` hold certificates, or one revocation list each; those that are not there are left out.
    static func look(
        _ keys: any KeyStore, _ lists: any RevocationListStore, files: [String], at now: Moment
    ) async throws -> Outlook {
        var outlook = Outlook()
        var query = KeyQuery()
        query.states = [.enabled]
        query.expiresUntil = now + horizon
        query.limit = KeyQuery.largest
        outlook.keys = first(
            try await keys.keys(query).keys.compactMap { key in
                key.record.expires.map {
                    Ending(name: key.record.owner == nil ? key.record.name.text : "(private)", end: $0)
                }
            })
        var authorities = KeyQuery()
        authorities.schemes = [.ca]
        authorities.sight = .publicOnly
        authorities.limit = KeyQuery.largest
        var listed: [Ending] = []
        for authority in try await keys.keys(authorities).keys {
            if let newest = try await lists.newestList(of: authority.record.id) {
                listed.append(Ending(name: authority.record.name.text, end: newest.next))
            }
        }
        outlook.lists = first(listed)
        for file in files {
            guard let text = try? PublicFile.text(file) else { continue }
            let ends =
                (try? Certificate.pem(text))?.map(\.notAfter)
                ?? (try? CertificateRevocationList.pem(text))?.compactMap(\.nextUpdate) ?? []
            guard let end = ends.map(\.secondsSince1970).min() else { continue }
            outlook.certificates.append(Ending(name: file, end: Moment(seconds: end)))
        }
        outlook.certificates = first(outlook.certificates)
        return outlook
    }

    private static func first(_ endings: [Ending]) -> [Ending] {
        Array(endings.sorted { ($0.end, $0.name) < ($1.end, $1.name) }.prefix(most))
    }
}

/// The outlook that was seen last, for the metrics.
public final class OutlookBoard: Sendable {
    private let last = Lock<Outlook>(Outlook())
    private let clock: Clock

    public init(_ metrics: Metrics, clock: @escaping Clock) {
        self.clock = clock
        metrics.gauges(
            "signet_key_days_left", help: "Days until an enabled key ends, of those that do within 90.",
            label: "key"
        ) { [self] in daysLeft(\.keys) }
        metrics.gauges(
            "signet_certificate_days_left", help: "Days until a file of the transport's certificates ends.",
            label: "file"
        ) { [self] in daysLeft(\.certificates) }
        metrics.gauges(
            "signet_crl_days_left", help: "Days until an authority's revocation list ends.",
            label: "authority"
        ) { [self] in daysLeft(\.lists) }
    }

    private func daysLeft(_ part: KeyPath<Outlook, [Outlook.Ending]>) -> [(label: String, value: Double)] {
        let now = clock()
        return last.withLock { $0[keyPath: part] }.map { ($0.name, $0.daysLeft(at: now)) }
    }

    func show(_ outlook: Outlook) { last.withLock { $0 = outlook } }
}
