// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

/// `/api/v1/freezes`: decodes and encodes for `FreezeRegister`.
struct FreezeRoutes {
    let freezes: FreezeRegister

    func add(to routes: inout RouteTable) {
        let freezes = freezes
        let list = Operation(
            "What signing is frozen", .ability(.readKeys), answer: .json(.part(of: FreezeDocument.self)))
        routes.get("/api/v1/freezes", list) { request in
            let list = try await freezes.list(for: request.known())
            return try .json(PartDocument(data: list.map { FreezeDocument($0.freeze, $0.key) }))
        }
        let freeze = Operation(
            "Stops all signing, or one key's", .ability([.switchKeys, .ownKeys]),
            body: .document(FreezeOrderDocument.self),
            answer: .json(.document(FreezeDocument.self), .created))
        routes.post("/api/v1/freezes", freeze) { request in
            let caller = try request.known()
            let order = try await request.json(FreezeOrderDocument.self)
            let made = try await freezes.freeze(order.key, because: order.reason, by: caller)
            return try .json(FreezeDocument(made.freeze, made.key), status: .created)
        }
        let thaw = Operation(
            "Lets signing go on, or asks another administrator to", .ability([.manageKeys, .ownKeys]),
            body: .document(ThawOrderDocument.self), answer: .empty(.noContent),
            otherwise: .json(.document(ApprovalDocument.self), .accepted))
        routes.post("/api/v1/freezes/actions/thaw", thaw) { request in
            let caller = try request.known()
            let order = try await request.json(ThawOrderDocument.self)
            switch try await freezes.thaw(order.key, by: caller) {
            case .done: return Response(.noContent)
            case .asked(let proposal):
                return try .json(ApprovalDocument(proposal), status: .accepted)
            }
        }
    }
}

/// A stop of signing, as the API shows it.
struct FreezeDocument: Encodable, DescribedDocument {
    static let schema = Schema.object([
        .init("key", .nullable(.id)), .init("name", .nullable(.string)), .init("user", .nullable(.id)),
        .init("user_email", .string), .init("reason", .string), .init("create_at", .timestamp),
    ])

    /// `null` for all keys.
    let key: String?
    let name: String?
    let user: String?
    let user_email: String
    let reason: String
    let create_at: String

    enum CodingKeys: CodingKey { case key, name, user, user_email, reason, create_at }

    init(_ freeze: Freeze, _ key: StoredKey?) {
        self.key = freeze.key?.description
        name = key?.record.name.text
        user = freeze.by.user?.description
        user_email = freeze.by.name
        reason = freeze.reason
        create_at = Timestamp.text(freeze.by.time)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        // Present and null for all keys, since a field that is missing could be an older server's.
        try container.encode(key, forKey: .key)
        try container.encode(name, forKey: .name)
        try container.encode(user, forKey: .user)
        try container.encode(user_email, forKey: .user_email)
        try container.encode(reason, forKey: .reason)
        try container.encode(create_at, forKey: .create_at)
    }
}

/// `{ "key": name / id, "reason": text }`; without a key all signing is stopped.
struct FreezeOrderDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case key, reason }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .key: .optional(.string, "name or id; all signing without it")
        case .reason: .optional(.string(0...KeyRecord.longestSummary))
        }
    }

    let key: String?
    let reason: String

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        key = try fields.decodeIfPresent(String.self, forKey: .key)
        reason = try fields.decodeIfPresent(String.self, forKey: .reason) ?? ""
    }
}

/// `{ "key": name / id }`; without a key the stop of all signing is meant.
struct ThawOrderDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case key }

    static func form(of field: Fields) -> FieldForm {
        .optional(.string, "name or id; the stop of all signing without it")
    }

    let key: String?

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        key = try fields.decodeIfPresent(String.self, forKey: .key)
    }
}
