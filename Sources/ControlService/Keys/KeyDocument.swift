// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Signatures

/// A key, as the API shows it: Signatrust's fields, and what is ours behind them.
struct KeyDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("id", .id), .init("name", .string), .init("description", .string),
        .init("visibility", .choice(of: Visibility.self)), .init("user", .id, optional: true),
        .init("attributes", .map(.string)), .init("key_type", .choice(of: KeyType.self)),
        .init("parent_id", .id, optional: true),
        .init("fingerprint", .string, "of the OpenPGP key, or SHA-256 of the certificate; hexadecimal"),
        .init("serial_number", .string), .init("create_at", .timestamp),
        .init("expire_at", .timestamp, optional: true), .init("key_state", .choice(of: KeyState.self)),
        .init("user_email", .string, optional: true),
        .init("request_delete_users", .string, "names with commas between them"),
        .init("request_revoke_users", .string, "names with commas between them"),
        .init("scheme", .choice(of: SigningScheme.self)), .init("purpose", .choice(of: KeyPurpose.self)),
        .init("algorithm", .choice(of: KeyAlgorithm.self)), .init("version", .number),
        .init("public_key_sha256", .sha256), .init("guarded", .boolean),
        .init("has_private_key", .boolean, "false for a key that stays elsewhere, and one that is destroyed"),
    ])

    let id: String
    let name: String
    let description: String
    let visibility: String
    let user: String?
    let attributes: [String: String]
    let key_type: String
    let parent_id: String?
    let fingerprint: String
    let serial_number: String
    let create_at: String
    let expire_at: String?
    let key_state: String
    let user_email: String?
    let request_delete_users: String
    let request_revoke_users: String

    let scheme: String
    let purpose: String
    let algorithm: String
    let version: UInt32
    /// SHA-256 of the public key's DER.
    let public_key_sha256: String
    let guarded: Bool
    let has_private_key: Bool

    /// `waiting` is the request that the key waits for.
    init(_ stored: StoredKey, waiting: Proposal? = nil) throws {
        let record = stored.record
        id = record.id.description
        name = record.name.text
        description = record.summary
        visibility = record.owner == nil ? "public" : "private"
        user = record.owner?.description
        user_email = record.name.owner
        attributes = record.algorithm.attributes
        parent_id = record.parent?.description
        create_at = Timestamp.text(record.created)
        expire_at = record.expires.map { Timestamp.text($0) }
        key_state = record.state.rawValue
        let names = waiting.map { [$0.requester.name] + $0.approvals.map(\.name) } ?? []
        request_delete_users = waiting?.operation == .deletion ? names.joined(separator: ",") : ""
        request_revoke_users = waiting?.operation == .revocation ? names.joined(separator: ",") : ""
        scheme = record.scheme.rawValue
        purpose = record.purpose.rawValue
        algorithm = record.algorithm.rawValue
        version = record.version
        guarded = record.isGuarded
        has_private_key = stored.sealed != nil
        public_key_sha256 = Hex.encode(record.publicKeyDigest.bytes)
        if record.scheme == .openpgp {
            key_type = KeyType.pgp.rawValue
            fingerprint = Hex.encode(record.fingerprint, .upper)
            serial_number = fingerprint
        } else {
            let certificate = try Certificate.chain(der: record.certificate.span)[0]
            key_type =
                (record.scheme != .ca ? KeyType.x509ee : record.parent == nil ? .x509ca : .x509ica).rawValue
            fingerprint = Hex.encode(certificate.fingerprint.bytes, .upper)
            serial_number = Hex.encode(certificate.serialNumber, .upper)
        }
    }
}

/// `{ "data": [key], "meta": { "total_count": number } }`
struct KeyListDocument: Encodable {
    let data: [KeyDocument]
    let meta: ListMeta

    init(_ page: KeyPage, waiting: [KeyID: Proposal]) throws {
        data = try page.keys.map { try KeyDocument($0, waiting: waiting[$0.record.id]) }
        meta = ListMeta(total_count: page.total)
    }
}

extension KeyAlgorithm {
    /// In Signatrust's words.
    fileprivate var attributes: [String: String] {
        switch family {
        case .rsa: ["key_type": "rsa", "key_length": String(bits)]
        case .ecdsa: ["key_type": "ecdsa", "key_length": String(bits)]
        case .ed25519: ["key_type": "eddsa"]
        }
    }
}

extension KeyQuery {
    static let parameters =
        [
            Operation.Parameter("key_type", .choice(of: KeyType.self)),
            .init("state", .choice(of: KeyState.self)), .init("name", .string, "a part of it"),
            .init("visibility", .choice(of: Visibility.self)), .init("parent_id", .id),
            .init("expires_until", .timestamp),
        ] + Page.parameters

    init(_ query: Query, for caller: Caller) throws {
        self.init()
        expiresUntil = try query.value("expires_until").map { try Timestamp.read($0, "expires_until") }
        if let text = try query.value("key_type") {
            switch KeyType(rawValue: text) {
            case .pgp: schemes = [.openpgp]
            case .x509ca, .x509ica: schemes = [.ca]
            case .x509ee: schemes = Set(KeyAttributes.usages.values)
            case nil: throw ControlError(.invalidArgument, "key_type: one of \(KeyType.known)")
            }
        }
        if let text = try query.value("state") {
            guard let state = KeyState(rawValue: text) else {
                let known = KeyState.allCases.map(\.rawValue).joined(separator: ", ")
                throw ControlError(.invalidArgument, "state: one of \(known)")
            }
            self.state = state
        }
        if let text = try query.value("parent_id") {
            guard let id = KeyID(text) else {
                throw ControlError(.invalidArgument, "parent_id: no id of a key")
            }
            parent = id
        }
        nameContains = try query.value("name") ?? ""
        sight = try sight(query, for: caller)
        let page = try Page(query)
        (offset, limit) = (page.offset, page.limit)
    }
}

extension KeyQuery {
    /// Without a word about it, all that the caller may see.
    private func sight(_ query: Query, for caller: Caller) throws -> KeySight {
        guard let visibility = try query.value("visibility").map({ try Visibility.named($0) }) else {
            return caller.sight
        }
        switch (visibility, caller.user) {
        case (.public, _): return .publicOnly
        case (.private, let user?): return .privateOf(user.id)
        case (.private, nil):
            throw ControlError(.invalidArgument, "visibility: a program has no private keys")
        }
    }
}

/// `?page_size=&page_number=`, counted from 1.
struct Page {
    let offset: Int
    let limit: Int

    init(_ query: Query) throws {
        let size = try query.value("page_size", as: Int.self) ?? 100
        let number = try query.value("page_number", as: Int.self) ?? 1
        guard (1...1000).contains(size) else { throw ControlError(.invalidArgument, "page_size: 1 to 1000") }
        guard (1...1_000_000).contains(number) else {
            throw ControlError(.invalidArgument, "page_number: 1 to 1000000")
        }
        limit = size
        offset = (number - 1) * size
    }
}
