// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import Foundation
import HTTP
import HTTP2
import Keyring
import Secrets
import Storage
import TestSupport
import Testing

/// The control plane over ports in memory, with a user of each role, asked through its router.
final class Office: Sendable {
    static let start = Moment(seconds: 1_800_000_000)
    static let authority = [UInt8](repeating: 0xab, count: 32)

    private let world: World
    let stores: MemoryStorage
    let users: UserRegister
    private let tokens = Lock<[Role: String]>([:])
    let router: Router
    let caretaker: Caretaker
    let forms: ShownForms

    struct Answer {
        let status: Int
        let fields: HeaderFields
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: Any? { try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed) }
        var object: [String: Any] { json as? [String: Any] ?? [:] }
        var list: [[String: Any]] { json as? [[String: Any]] ?? object["data"] as? [[String: Any]] ?? [] }
        /// Of a problem document.
        var code: String? { object["code"] as? String }
        subscript(_ name: String) -> String? { object[name] as? String }
    }

    /// What the office does not decide.
    private final class World: Sendable {
        let time = Lock(Office.start)
        let trouble = Lock<ErrorCode?>(nil)
    }

    struct Trouble: CodedError {
        let code: ErrorCode
        let message = "it is away"
    }

    init(limits: RateLimits.Rules = .none) async throws {
        let world = World()
        self.world = world
        let clock: Clock = { world.time.withLock { $0 } }
        let stores = MemoryStorage(now: clock)
        self.stores = stores
        let ring = ClusterKeyRing(store: stores, wrapping: OpenWrapping())
        let program = Caller(program: "test")
        try await ring.prepare(by: program, at: clock())
        let check: @Sendable () async throws -> Void = {
            if let code = world.trouble.withLock({ $0 }) { throw Trouble(code: code) }
        }
        let keys = KeyRegister(keys: stores, ring: ring, clock: clock)
        let users = UserRegister(users: stores, ballot: keys.ballot)
        self.users = users
        let grants = GrantRegister(grants: stores, keys: stores, ballot: keys.ballot)
        caretaker = Caretaker(keys)
        router =
            try ControlAPI(
                keys: keys, users: users,
                grants: grants,
                approvals: ApprovalRegister(
                    keys: keys, freezes: FreezeRegister(freezes: stores, keys: keys), users: users,
                    grants: grants),
                records: RecordRegister(records: stores.records(of: ServerName("data1")), audit: stores),
                readiness: Readiness([("database", check)], clock: clock), authority: Office.authority,
                limits: RateLimits(limits, clock: clock)
            ).router
        forms = try ShownForms(await router.answer(Request(.get, "/api-doc/openapi.json")).whole())
        for role in Role.allCases {
            let user = try await users.make("\(role.rawValue)@example.org", role, by: program)
            let token = try await Self.token(users, of: user, by: program)
            tokens.withLock { $0[role] = token }
        }
    }

    /// What the audit told last.
    func lastActions(_ count: Int) async throws -> [AuditAction] {
        try await stores.entries(after: 0, limit: 1000).suffix(count).map(\.event.action)
    }

    func pass(_ duration: Duration) { world.time.withLock { $0 = $0 + duration } }
    /// Seconds since 1970.
    var now: Int64 { world.time.withLock { $0.seconds } }
    func fail(_ code: ErrorCode?) { world.trouble.withLock { $0 = code } }
    func token(_ role: Role) -> String { tokens.withLock { $0[role] ?? "" } }

    func ask(
        _ method: HTTP.Method, _ path: String, as role: Role? = .administrator, token: String? = nil,
        _ document: [String: Any]? = nil, fields more: [(String, String)] = []
    ) async throws -> Answer {
        var fields: HeaderFields = [:]
        if let token = token ?? role.map({ self.token($0) }) {
            fields.append("authorization", "Bearer \(token)")
        }
        for (name, value) in more { fields.append(name, value) }
        var body: [UInt8] = []
        if let document {
            fields.append("content-type", "application/json")
            body = [UInt8](try JSONSerialization.data(withJSONObject: document))
        }
        let response = await router.answer(Request(method, path, fields: fields, body: body))
        let answer = Answer(
            status: response.status.rawValue, fields: response.fields, body: try await response.whole())
        let trouble = forms.trouble(
            method.rawValue, path, answer.status, answer.fields["content-type"], answer.body)
        #expect(trouble == nil, "\(method) \(path): \(answer.text)")
        return answer
    }

    // MARK: What many tests need

    /// Another user, made on the server's machine; his token.
    func user(_ name: String, _ role: Role) async throws -> String {
        let program = Caller(program: "test")
        let user = try await users.make(name, role, by: program)
        return try await Self.token(users, of: user, by: program)
    }

    func administrator(_ name: String) async throws -> String { try await user(name, .administrator) }

    private static func token(_ users: UserRegister, of user: User, by program: Caller) async throws -> String
    {
        let made = try await users.addToken(of: user.id, summary: "test", by: program)
        let text = made.text.bytes
        return String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
    }

    static let subject = ["common_name": "Farm", "key_type": "ecdsa"]

    /// A new key, enabled.
    @discardableResult
    func key(_ name: String, _ type: String, _ attributes: [String: String], parent: String? = nil)
        async throws
        -> Answer
    {
        var document: [String: Any] = [
            "name": name, "key_type": type, "attributes": attributes, "expire_at": "2030-01-01T00:00:00Z",
        ]
        document["parent_id"] = parent
        let made = try await ask(.post, "/api/v1/keys/", document)
        #expect(made.status == 201, "\(made.text)")
        let enabled = try await ask(.post, "/api/v1/keys/\(name)/actions/enable")
        #expect(enabled.status == 200, "\(enabled.text)")
        return made
    }
}
