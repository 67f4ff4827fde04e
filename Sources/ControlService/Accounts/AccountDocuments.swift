// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Secrets

/// A user, as the API shows him.
struct UserDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("id", .id), .init("email", .string), .init("role", .choice(of: Role.self)),
        .init("disabled", .boolean), .init("create_at", .timestamp),
    ])

    let id: String
    /// As Signatrust calls the name.
    let email: String
    let role: String
    let disabled: Bool
    let create_at: String

    init(_ user: User) {
        id = user.id.description
        email = user.name
        role = user.role.rawValue
        disabled = user.isDisabled
        create_at = Timestamp.text(user.created)
    }
}

extension UserDocument {
    var tag: EntityTag { get throws { EntityTag(of: try JSON.encode(self)) } }
}

/// `?name=&role=&disabled=`
struct UserFilter {
    private let name: String
    private let role: Role?
    private let isDisabled: Bool?

    static let parameters =
        [
            Operation.Parameter("name", .string, "a part of it"), .init("role", .choice(of: Role.self)),
            .init("disabled", .boolean),
        ] + Page.parameters

    init(_ query: Query) throws {
        name = try query.value("name") ?? ""
        role = try query.choice("role")
        isDisabled = try query.value("disabled", as: Bool.self)
    }

    func includes(_ user: User) -> Bool {
        (name.isEmpty || user.name.contains(name)) && (role == nil || user.role == role)
            && (isDisabled == nil || user.isDisabled == isDisabled)
    }
}

/// The caller himself. The two tokens belong to sessions of browsers, which there are none of here.
struct CallerDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("id", .id), .init("email", .string), .init("role", .choice(of: Role.self)),
        .init("csrf_generation_token", .nullable(.string)), .init("csrf_token", .nullable(.string)),
    ])

    let id: String
    let email: String
    let role: String
    let csrf_generation_token: String?
    let csrf_token: String?

    enum CodingKeys: CodingKey { case id, email, role, csrf_generation_token, csrf_token }

    init(_ user: User) {
        (id, email, role) = (user.id.description, user.name, user.role.rawValue)
        (csrf_generation_token, csrf_token) = (nil, nil)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(email, forKey: .email)
        try container.encode(role, forKey: .role)
        // Present and null, as scripts know them.
        try container.encodeNil(forKey: .csrf_generation_token)
        try container.encodeNil(forKey: .csrf_token)
    }
}

/// A token, as the API shows it: with its text when it was just made, else with what the database knows of it.
struct TokenDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("id", .id), .init("user_id", .id), .init("description", .string),
        .init("token", .string, "its text when it was just made, else its SHA-256"),
        .init("create_at", .timestamp), .init("expire_at", .timestamp),
        .init("scopes", .list(.choice(of: TokenScope.self)), "what it is for"),
        .init("last_used_at", .timestamp, optional: true, "to the minute or so"),
    ])

    let id: String
    let user_id: String
    let description: String
    let token: String
    let create_at: String
    let expire_at: String
    let scopes: [String]
    let last_used_at: String?

    init(_ token: APIToken) { self.init(token, shown: Hex.encode(token.digest.bytes)) }

    init(_ made: borrowing NewAPIToken) {
        let text = made.text.bytes
        // The one place where a token becomes ordinary text: the answer to who asked for it.
        self.init(made.token, shown: String(decoding: [UInt8](copying: text), as: UTF8.self))
    }

    private init(_ token: APIToken, shown: String) {
        id = token.id.description
        user_id = token.user.description
        description = token.summary
        self.token = shown
        create_at = Timestamp.text(token.created)
        expire_at = Timestamp.text(token.expires)
        scopes = token.scopes.map(\.rawValue).sorted()
        last_used_at = token.lastUsed.map { Timestamp.text($0) }
    }
}

/// `{ "name": text, "role": role }`
struct NewUserDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case email, role }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .email: .needed(.string(1...User.longestName))
        case .role: .needed(.choice(of: Role.self))
        }
    }

    let email: String
    let role: Role

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        email = try fields.decode(String.self, forKey: .email)
        role = try Role.named(fields.decode(String.self, forKey: .role))
    }
}

/// `{ "role": role, "disabled": boolean }`, each of which may be left out.
struct UserChangeDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case role, disabled }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .role: .optional(.choice(of: Role.self))
        case .disabled: .optional(.boolean)
        }
    }

    let role: Role?
    let disabled: Bool?

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        role = try fields.decodeIfPresent(String.self, forKey: .role).map { try Role.named($0) }
        disabled = try fields.decodeIfPresent(Bool.self, forKey: .disabled)
    }
}

/// `{ "description": text, "expire_at": timestamp, "scopes": [scope] }`; all but the first may be left out.
struct NewTokenDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case description, expire_at, scopes }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .scopes: .optional(.list(.choice(of: TokenScope.self), count: 1...TokenScope.allCases.count))
        case .description: .needed(.string(0...KeyRecord.longestSummary))
        case .expire_at: .optional(.timestamp, "at most 366 days from now")
        }
    }

    let description: String
    let expires: Moment?
    let scopes: Set<TokenScope>?

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        description = try fields.decode(String.self, forKey: .description)
        scopes = try fields.decodeIfPresent([String].self, forKey: .scopes).map { words in
            Set(
                try words.map { word throws(HTTPError) in
                    guard let scope = TokenScope(rawValue: word) else {
                        let known = TokenScope.allCases.map(\.rawValue).joined(separator: ", ")
                        throw HTTPError(.invalidArgument, "scopes: each is one of \(known)")
                    }
                    return scope
                })
        }
        expires = try fields.decodeIfPresent(String.self, forKey: .expire_at).map {
            try Timestamp.read($0, "expire_at")
        }
    }
}

extension Role {
    static func named(_ text: String) throws(HTTPError) -> Role {
        guard let role = Role(rawValue: text) else {
            throw HTTPError(
                .invalidArgument,
                "role: one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }
}

extension Timestamp {
    static func read(_ text: String, _ field: String) throws(HTTPError) -> Moment {
        guard let moment = parse(text) else {
            throw HTTPError(
                .invalidArgument, "\(field): a timestamp such as 2030-12-31T23:59:59Z (RFC 3339)")
        }
        return moment
    }
}
