// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Signatures

/// A grant, as the API shows it.
struct GrantDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("id", .id), .init("clients", .string), .init("keys", .list(.id)),
        .init("kinds", .list(.choice(of: SigningKind.self))), .init("description", .string),
        .init("create_at", .timestamp), .init("expire_at", .timestamp, optional: true),
        .init("networks", .list(.string), "from where they may call; none for everywhere"),
    ])

    let id: String
    let clients: String
    let keys: [String]
    let kinds: [String]
    let description: String
    let create_at: String
    let expire_at: String?
    let networks: [String]

    init(_ grant: Grant) {
        id = grant.id.description
        clients = grant.clients.description
        keys = grant.keys.sorted().map(\.description)
        kinds = grant.kinds.map(\.rawValue).sorted()
        description = grant.summary
        create_at = Timestamp.text(grant.created)
        expire_at = grant.expires.map { Timestamp.text($0) }
        networks = grant.networks.sorted().map(\.description)
    }
}

extension GrantDocument {
    var tag: EntityTag { get throws { EntityTag(of: try JSON.encode(self)) } }
}

/// `?key=&kind=&client=`
struct GrantFilter {
    private let key: KeyID?
    private let kind: SigningKind?
    private let client: String

    static let parameters =
        [
            Operation.Parameter("key", .id), .init("kind", .choice(of: SigningKind.self)),
            .init("client", .string, "a part of the pattern over clients"),
        ] + Page.parameters

    init(_ query: Query) throws {
        key = try query.value("key").map { text in
            guard let id = KeyID(text) else { throw ControlError(.invalidArgument, "key: no id of a key") }
            return id
        }
        kind = try query.choice("kind")
        client = try query.value("client") ?? ""
    }

    func includes(_ grant: Grant) -> Bool {
        (key.map { grant.keys.contains($0) } ?? true) && (kind.map { grant.kinds.contains($0) } ?? true)
            && (client.isEmpty || grant.clients.description.contains(client))
    }
}

/// `{ "clients": pattern, "keys": [name / id / pattern], "kinds": [kind], "description": text, "expire_at": timestamp,
/// "networks": [network] }`
///
/// ```
/// pattern = sort ":" value [ "@" 64HEXDIG ]     ; without an authority, that of the settings
/// ```
struct NewGrantDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable {
        case clients, keys, kinds, description, expire_at, networks
    }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .clients: .needed(.string, "such as uri:signet://client/*")
        case .keys: .needed(.list(.string, count: 1...Grant.mostKeys), "names, ids, or patterns over names")
        case .kinds: .needed(.list(.choice(of: SigningKind.self)))
        case .description: .optional(.string(0...KeyRecord.longestSummary))
        case .expire_at: .optional(.timestamp)
        case .networks:
            .optional(.list(.string, count: 0...Grant.mostNetworks), "such as 10.0.0.0/8 or 2001:db8::/32")
        }
    }

    let clients: String
    let keys: [String]
    let kinds: Set<SigningKind>
    let description: String
    let expires: Moment?
    let networks: Set<Network>

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        networks = Set(
            try fields.decodeIfPresent([String].self, forKey: .networks)?.map { try Network($0) } ?? [])
        clients = try fields.decode(String.self, forKey: .clients)
        keys = try fields.decode([String].self, forKey: .keys)
        kinds = Set(
            try fields.decode([String].self, forKey: .kinds).map { text in
                guard let kind = SigningKind(rawValue: text) else {
                    let known = SigningKind.allCases.map(\.rawValue)
                    throw HTTPError(
                        .invalidArgument, "kinds: each is one of \(known.joined(separator: ", "))")
                }
                return kind
            })
        description = try fields.decodeIfPresent(String.self, forKey: .description) ?? ""
        expires = try fields.decodeIfPresent(String.self, forKey: .expire_at).map {
            try Timestamp.read($0, "expire_at")
        }
    }
}

/// `{ "identity": identity }` or `{ "certificate": 64HEXDIG }`
struct DeniedClientDocument: StrictDocument, Encodable {
    enum Fields: String, CodingKey, CaseIterable { case identity, certificate }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .identity: .optional(.string, "such as uri:signet://client/ci")
        case .certificate: .optional(.sha256, "of a certificate's DER")
        }
    }

    let identity: String?
    let certificate: String?

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        identity = try fields.decodeIfPresent(String.self, forKey: .identity)
        certificate = try fields.decodeIfPresent(String.self, forKey: .certificate)
    }

    init(_ client: DeniedClient) {
        switch client {
        case .identity(let identity): (self.identity, certificate) = (identity.description, nil)
        case .certificate(let fingerprint): (identity, certificate) = (nil, Hex.encode(fingerprint))
        }
    }

    func client(_ authority: [UInt8]?) throws -> DeniedClient {
        switch (identity, certificate) {
        case (let text?, nil):
            let parts = try IdentityText(text, authority)
            return .identity(
                try ClientIdentity(authority: parts.authority, sort: parts.sort, value: parts.value))
        case (nil, let text?):
            guard let fingerprint = try? Hex.decode(text), fingerprint.count == 32 else {
                throw ControlError(
                    .invalidArgument, "certificate: the SHA-256 of one, in 64 small hexadecimal digits")
            }
            return .certificate(fingerprint)
        default:
            throw ControlError(.invalidArgument, "name either an identity or a certificate")
        }
    }
}

/// `sort ":" value [ "@" 64HEXDIG ]`, for identities and patterns over them.
struct IdentityText {
    let authority: [UInt8]
    let sort: ClientIdentity.Sort
    let value: String

    /// `authority` is what counts when the text names none.
    init(_ text: String, _ authority: [UInt8]?) throws(ControlError) {
        guard let colon = text.firstIndex(of: ":"),
            let sort = ClientIdentity.Sort(rawValue: String(text[..<colon]))
        else {
            let sorts = ClientIdentity.Sort.allCases.map { $0.rawValue + ":" }.joined(separator: ", ")
            throw ControlError(
                .invalidArgument,
                "a client is named by its sort and name, such as uri:signet://client/ci; "
                    + "it begins with one of \(sorts)")
        }
        self.sort = sort
        let rest = text[text.index(after: colon)...]
        if let at = rest.lastIndex(of: "@"),
            let named = try? Hex.decode(String(rest[rest.index(after: at)...])),
            named.count == 32
        {
            self.authority = named
            value = String(rest[..<at])
        } else {
            guard let authority else {
                throw ControlError(
                    .invalidArgument,
                    "the authority that issued the client's certificate is missing: \"@\" and its SHA-256 behind the "
                        + "name, or the setting control-server.client_ca")
            }
            self.authority = authority
            value = String(rest)
        }
    }
}

extension DeniedClient {
    /// For the audit.
    var text: String {
        switch self {
        case .identity(let identity): identity.description
        case .certificate(let fingerprint): "certificate:" + Hex.encode(fingerprint)
        }
    }
}
