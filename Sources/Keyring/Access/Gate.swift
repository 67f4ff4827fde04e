// SPDX-License-Identifier: Apache-2.0

public import Signatures

/// Judges whether a client may have a kind of file signed with a key. What is not granted is refused.
///
/// ```swift
/// let permit = try Gate(access, at: now).permit(client, key: record, kind: .module)
/// ```
public struct Gate: Sendable {
    private let access: AccessList
    private let now: Moment
    private let source: SourceAddress?

    /// `source` is from where the client calls; grants that name networks are for nobody without it.
    public init(_ access: AccessList, at now: Moment, from source: SourceAddress? = nil) {
        self.access = access
        self.now = now
        self.source = source
    }

    /// A client without a grant learns nothing of the key: whether it exists, its state and its scheme are judged after
    /// the grants.
    public func permit(_ client: Client, key: KeyRecord, kind: SigningKind) throws(SignRefusal) -> SignPermit
    {
        guard !access.denied.contains(.identity(client.identity)),
            !access.denied.contains(.certificate(client.certificate))
        else { throw .clientDenied(client.identity) }
        let grants = access.grants(of: key.id).filter { $0.clients.matches(client.identity) }
        guard !grants.isEmpty else { throw .notGranted(client.identity, key: key.name.text) }
        let current = grants.filter { !$0.isExpired(at: now) }
        guard !current.isEmpty else { throw .grantExpired(client.identity, key: key.name) }
        let near = current.filter { $0.isFor(source) }
        guard !near.isEmpty else { throw .networkNotGranted(client.identity, key: key.name) }
        guard let grant = near.filter({ $0.kinds.contains(kind) }).min(by: { $0.id < $1.id }) else {
            throw .kindNotGranted(client.identity, key: key.name, kind)
        }
        guard !access.frozen.contains(key.id) else { throw .frozen(key: key.name, all: access.frozen.all) }
        guard key.purpose == .signing else { throw .certifyingKey(key.name) }
        guard kind.scheme == key.scheme else { throw .wrongScheme(key: key.name, key.scheme, kind) }
        guard key.state.after(.sign) != nil else { throw .keyState(key: key.name, key.state) }
        guard !key.isExpired(at: now) else { throw .keyExpired(key: key.name) }
        guard key.created <= now else { throw .keyNotYetValid(key: key.name) }
        return SignPermit(
            Ruling(
                client: client, key: key.id, keyVersion: key.version, kind: kind, grant: grant.id,
                revision: access.revision),
            expires: [grant.expires, key.expires].compactMap { $0 }.min())
    }

    /// Which of these keys the client may use, and for which kinds. State and expiry are not looked at.
    public func usable(by client: Client, of keys: [KeyRecord]) -> [(key: KeyRecord, kinds: Set<SigningKind>)]
    {
        guard !access.denied.contains(.identity(client.identity)),
            !access.denied.contains(.certificate(client.certificate))
        else { return [] }
        return keys.compactMap { key in
            let kinds = access.grants(of: key.id)
                .filter { $0.clients.matches(client.identity) && !$0.isExpired(at: now) && $0.isFor(source) }
                .reduce(into: Set<SigningKind>()) { $0.formUnion($1.kinds) }
                .filter { $0.scheme == key.scheme }
            return kinds.isEmpty || key.purpose != .signing ? nil : (key, kinds)
        }
    }
}
