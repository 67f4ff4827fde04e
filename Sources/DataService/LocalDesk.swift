// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc
internal import HTTP
internal import HTTP2
internal import Transport

/// What root can tell a data-server that runs, over a unix socket on its own machine.
///
/// HTTP/1.1 on `FOLDER/socket`: `GET /freezes`, `POST /freeze` and `POST /thaw`, the last two with `{"key": text}` or
/// `{}` for all signing; each answers with `{"all": boolean, "keys": [text]}`. Only root and the server's own user get in,
/// by what the kernel says of the process that connects.
public struct LocalDesk: Sendable {
    /// What is stopped on the server.
    public struct Frozen: Codable, Hashable, Sendable {
        public let all: Bool
        public let keys: [String]
    }

    public enum Order: String, Sendable {
        case freeze
        case thaw
    }

    struct Subject: Codable {
        var key: String?
    }

    static func socket(in folder: String) -> String { folder + "/socket" }

    // MARK: The server's side

    static func router(_ freeze: LocalFreeze, _ log: Log) -> Router {
        var router = Router()
        let options = Route.Options(body: 4096, consumes: ["application/json"])
        router.get("/freezes") { _ in try .json(Frozen(freeze.orders)) }
        router.post("/freeze", options) { request in
            let key = try await subject(request)
            try freeze.change(log) { orders in
                if let key { orders.keys.insert(key) } else { orders.all = true }
            }
            return try .json(Frozen(freeze.orders))
        }
        router.post("/thaw", options) { request in
            let key = try await subject(request)
            try freeze.change(log) { orders in
                let wasFrozen = key.map { orders.keys.remove($0) != nil } ?? orders.all
                guard wasFrozen else {
                    throw HTTPError(
                        .freezeNotFound,
                        key.map { "the key \($0) is not frozen here" } ?? "not all signing is frozen here")
                }
                if key == nil { orders.all = false }
            }
            return try .json(Frozen(freeze.orders))
        }
        return router
    }

    private static func subject(_ request: Request) async throws -> String? {
        let key = try await request.json(Subject.self).key
        guard key.map({ Snapshot.Selector($0) != nil }) ?? true else {
            throw HTTPError(.invalidArgument, "key: this is no name and no id of a key")
        }
        return key
    }

    /// Root, and the server's own user, who could stop the server anyway.
    static func admits(_ log: Log) -> @Sendable (UInt32) -> Bool {
        let own = geteuid()
        return { user in
            let isAdmitted = user == 0 || user == own
            log.warning(
                isAdmitted ? "somebody calls on this machine" : "somebody on this machine was turned away",
                ["user": .integer(Int(user))])
            return isAdmitted
        }
    }

    // MARK: The other side

    private let folder: String

    public init(_ settings: DataServerSettings) throws {
        guard let folder = settings.localFolder else {
            throw DataServiceError(
                .badConfiguration,
                "data-server.local_folder is not set, so this server takes no orders on its machine")
        }
        self.folder = folder
    }

    public func tell(_ order: Order, key: String?) async throws -> Frozen {
        try await ask(.json(.post, "/" + order.rawValue, Subject(key: key)))
    }

    public func frozen() async throws -> Frozen { try await ask(ClientRequest(.get, "/freezes")) }

    private func ask(_ request: ClientRequest) async throws -> Frozen {
        let path = Self.socket(in: folder)
        // It ends with the program, which asks this one thing.
        let loops = try EventLoops(count: 1)
        var limits = Client.Limits()
        limits.retry.tries = 1
        let client = Client(
            of: ClientService(.unix(path)), on: loops.next(), connector: Connector(security: .plain),
            limits: limits)
        let response = try await client.send(request)
        guard response.status == .ok else {
            let problem = try? response.json(Problem.self)
            throw DataServiceError(
                problem?.code.flatMap { text in ErrorCode.all.first { $0.id == text } } ?? .unavailable,
                problem?.detail ?? "the server answers \(response.status.rawValue)")
        }
        return try response.json(Frozen.self)
    }

    private struct Problem: Decodable {
        let code: String?
        let detail: String?
    }
}

extension LocalDesk.Frozen {
    init(_ orders: LocalFreeze.Orders) { self.init(all: orders.all, keys: orders.keys.sorted()) }
}
