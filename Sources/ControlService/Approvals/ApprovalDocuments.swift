// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Keyring

/// A request for approval, as the API shows it.
struct ApprovalDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("id", .id), .init("operation", .choice(of: Proposal.Operation.self)),
        .init("key", .id, optional: true),
        .init("reason", .choice(of: RevocationReason.self), optional: true),
        .init("state", .choice(of: Proposal.State.self)), .init("user", .id, optional: true),
        .init("user_email", .string), .init("needed", .number), .init("approved_by", .list(.string)),
        .init("create_at", .timestamp), .init("expire_at", .timestamp),
        .init("close_at", .timestamp, optional: true), .init("for_user", .id, optional: true),
        .init("for_user_email", .string, optional: true),
        .init("role", .choice(of: Role.self), optional: true), .init("disabled", .boolean, optional: true),
        .init("grant", .document(GrantDocument.self), optional: true),
    ])

    let id: String
    let operation: String
    /// Missing when it is not about one key.
    let key: String?
    let reason: String?
    let state: String
    let user: String?
    let user_email: String
    let needed: Int
    let approved_by: [String]
    let create_at: String
    let expire_at: String
    let close_at: String?
    /// What happens exactly: to which user, or with which grant.
    let for_user: String?
    let for_user_email: String?
    let role: String?
    let disabled: Bool?
    let grant: GrantDocument?

    init(_ proposal: Proposal) {
        id = proposal.id.description
        operation = proposal.operation.rawValue
        key = proposal.key?.description
        reason = proposal.reason?.rawValue
        state = proposal.state.rawValue
        user = proposal.requester.user?.description
        user_email = proposal.requester.name
        needed = proposal.needed
        approved_by = proposal.approvals.map(\.name)
        create_at = Timestamp.text(proposal.requester.time)
        expire_at = Timestamp.text(proposal.ends)
        close_at = proposal.closed.map { Timestamp.text($0) }
        for_user = if case .user(let id) = proposal.subject { id.description } else { nil }
        let powers: PowerChange? = if case .role(let change) = proposal.content { change } else { nil }
        (for_user_email, role) = (powers?.name, powers?.to.role.rawValue)
        disabled = powers?.to.isDisabled
        grant = if case .grant(let grant) = proposal.content { GrantDocument(grant) } else { nil }
    }
}

/// `{ "reason": reason }`, for `request_revoke`.
struct RevocationDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case reason }

    static func form(of field: Fields) -> FieldForm { .needed(.choice(of: RevocationReason.self)) }

    let reason: RevocationReason

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        let text = try fields.decode(String.self, forKey: .reason)
        guard let reason = RevocationReason(rawValue: text) else {
            let known = RevocationReason.allCases.map(\.rawValue).joined(separator: ", ")
            throw HTTPError(.invalidArgument, "reason: one of \(known)")
        }
        self.reason = reason
    }
}

extension ProposalQuery {
    static let parameters =
        [
            Operation.Parameter("state", .choice(of: Proposal.State.self)),
            .init("operation", .choice(of: Proposal.Operation.self)), .init("key", .id),
        ] + Page.parameters

    init(_ query: Query) throws {
        self.init()
        state = try query.choice("state")
        operation = try query.choice("operation")
        if let text = try query.value("key") {
            guard let id = KeyID(text) else { throw ControlError(.invalidArgument, "key: no id of a key") }
            subjects = [.key(id)]
        }
        let page = try Page(query)
        (offset, limit) = (page.offset, page.limit)
    }
}

extension Query {
    /// One of the words of a list.
    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws -> Choice?
    where Choice.RawValue == String {
        guard let text = try value(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlError(.invalidArgument, "\(name): one of \(known)")
        }
        return choice
    }
}
