// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Signatures

/// A signature that was made, as the API shows it. The signature itself is not told here.
struct RecordDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("job", .id), .init("server", .string), .init("sequence", .number), .init("time", .timestamp),
        .init("client", .string), .init("certificate", .sha256), .init("key", .id),
        .init("key_version", .number), .init("kind", .choice(of: SigningKind.self)),
        .init("scheme", .choice(of: SigningScheme.self)), .init("fingerprint", .string),
        .init("grant", .id), .init("revision", .number), .init("claim_sha256", .sha256),
        .init("content", .string, optional: true, "algorithm:digest"), .init("blind", .boolean),
        .init("facts", .map(.string)), .init("record_sha256", .sha256),
    ])

    let job: String
    let server: String
    let sequence: UInt64
    let time: String
    let client: String
    let certificate: String
    let key: String
    let key_version: UInt32
    let kind: String
    let scheme: String
    let fingerprint: String
    let grant: String
    let revision: UInt64
    let claim_sha256: String
    let content: String?
    let blind: Bool
    let facts: [String: String]
    let record_sha256: String

    init(_ record: SignatureRecord) {
        let (draft, ruling) = (record.draft, record.draft.ruling)
        job = draft.job.description
        server = record.server.text
        sequence = record.sequence
        time = Timestamp.text(draft.time)
        client = ruling.client.identity.description
        certificate = Hex.encode(ruling.client.certificate)
        key = ruling.key.description
        key_version = ruling.keyVersion
        kind = ruling.kind.rawValue
        scheme = draft.scheme.rawValue
        fingerprint = Hex.encode(draft.fingerprint, .upper)
        grant = ruling.grant.description
        revision = ruling.revision.number
        claim_sha256 = Hex.encode(draft.claim.bytes)
        content = draft.content.map { "\($0.algorithm.rawValue):\(Hex.encode($0.bytes))" }
        blind = draft.isBlind
        facts = Dictionary(draft.facts.map { ($0.name, $0.value) }) { first, _ in first }
        record_sha256 = Hex.encode(record.digest.bytes)
    }
}

/// An entry of the audit, as the API shows it.
struct AuditDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("sequence", .number), .init("time", .timestamp), .init("actor", .string),
        .init("user_id", .id, optional: true), .init("action", .choice(of: AuditAction.self)),
        .init("subject", .string), .init("facts", .map(.string)), .init("entry_sha256", .sha256),
    ])

    let sequence: UInt64
    let time: String
    let actor: String
    let user_id: String?
    let action: String
    let subject: String
    let facts: [String: String]
    let entry_sha256: String

    init(_ entry: AuditEntry) {
        sequence = entry.sequence
        time = Timestamp.text(entry.event.time)
        switch entry.event.actor {
        case .user(let id, let name): (actor, user_id) = (name, id.description)
        case .program(let name): (actor, user_id) = (name, nil)
        }
        action = entry.event.action.rawValue
        subject = entry.event.subject
        facts = Dictionary(entry.event.facts.map { ($0.name, $0.value) }) { first, _ in first }
        entry_sha256 = Hex.encode(entry.head.digest.bytes)
    }
}

/// `{ "data": [...], "meta": { "total_count": number } }`, a page of a list that is there as a whole.
struct PageDocument<Element: Encodable>: Encodable {
    let data: [Element]
    let meta: ListMeta

    init<Item>(_ all: [Item], _ page: Page, _ document: (Item) throws -> Element) rethrows {
        data = try all.dropFirst(page.offset).prefix(page.limit).map(document)
        meta = ListMeta(total_count: all.count)
    }
}

struct ListMeta: Encodable { let total_count: Int }

/// `{ "data": [...] }`, a part of a list whose whole is not counted.
struct PartDocument<Element: Encodable>: Encodable {
    let data: [Element]
}

extension RecordQuery {
    static let parameters =
        [
            Operation.Parameter("key", .id), .init("client", .string),
            .init("kind", .choice(of: SigningKind.self)), .init("server", .string),
            .init("content", .string, "a digest, such as sha256:00ff…"), .init("from", .timestamp),
            .init("to", .timestamp),
        ] + Page.parameters

    init(_ query: Query, authority: [UInt8]?) throws {
        self.init()
        if let text = try query.value("key") {
            guard let id = KeyID(text) else { throw ControlError(.invalidArgument, "key: no id of a key") }
            key = id
        }
        if let text = try query.value("client") {
            let parts = try IdentityText(text, authority)
            client = try ClientIdentity(authority: parts.authority, sort: parts.sort, value: parts.value)
        }
        if let text = try query.value("kind") {
            guard let kind = SigningKind(rawValue: text) else {
                let known = SigningKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ControlError(.invalidArgument, "kind: one of \(known)")
            }
            self.kind = kind
        }
        server = try query.value("server").map { try ServerName($0) }
        content = try query.value("content").map { try Self.digest($0) }
        from = try query.value("from").map { try Timestamp.read($0, "from") }
        to = try query.value("to").map { try Timestamp.read($0, "to") }
        let page = try Page(query)
        (offset, limit) = (page.offset, page.limit)
    }

    /// `algorithm ":" hex`, or SHA-256 in hex alone.
    private static func digest(_ text: String) throws -> Digest {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let algorithm = parts.count == 2 ? DigestAlgorithm(rawValue: String(parts[0])) : .sha256
        guard let algorithm, let bytes = try? Hex.decode(String(parts.last ?? "")),
            let digest = try? Digest(bytes.span, of: algorithm)
        else {
            throw ControlError(
                .invalidArgument, "content: a digest in small hexadecimal digits, such as sha256:00ff…")
        }
        return digest
    }
}
