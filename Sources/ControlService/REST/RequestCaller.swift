// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

extension Request {
    /// Who asks; throws 401 when he did not say.
    func known() throws(HTTPError) -> Caller {
        guard let caller = caller as? Caller else {
            throw HTTPError(
                .unauthenticated, "this needs an API token: Authorization: Bearer TOKEN",
                fields: ["www-authenticate": "Bearer"])
        }
        return caller
    }

    /// Finds out who asks, by the field `Authorization`: `Bearer TOKEN`, or the token alone, as Signatrust's scripts
    /// send it. A wrong token is refused, also where none is needed.
    /// Each user has a number of requests, and each address for those of strangers; a wrong token is a stranger's.
    func authenticated(by users: UserRegister, within limits: RateLimits?) async throws -> Request {
        let given = fields.values(of: "authorization")
        guard let text = given.first else {
            try expectRoom(limits, RateLimits.Source(remote))
            return self
        }
        guard given.count == 1 else {
            throw HTTPError(.httpMalformed, "the field authorization is there \(given.count) times")
        }
        let scheme = "bearer "
        let token =
            text.utf8.count > scheme.utf8.count && text.prefix(scheme.count).lowercased() == scheme
            ? Array(text.utf8.dropFirst(scheme.utf8.count)) : Array(text.utf8)
        var request = self
        do {
            let caller = try await users.caller(presenting: token.span)
            if let user = caller.user { try expectRoom(limits, .user(user.id)) }
            request.caller = caller
        } catch let error as ControlError where error.code == .tokenInvalid {
            try expectRoom(limits, RateLimits.Source(remote))
            throw HTTPError(
                error.code, error.message, fields: ["www-authenticate": "Bearer error=\"invalid_token\""])
        }
        return request
    }

    private func expectRoom(_ limits: RateLimits?, _ source: RateLimits.Source) throws(HTTPError) {
        guard let seconds = limits?.take(source) else { return }
        throw HTTPError(
            .quotaExceeded, "too many requests; there is room again in \(seconds) s",
            fields: ["retry-after": "\(seconds)"])
    }

    /// An id in the path.
    func id<Row>(_ name: String, _ type: RowID<Row>.Type = RowID<Row>.self) throws -> RowID<Row> {
        guard let id = RowID<Row>(try path(name)) else {
            throw HTTPError(.notFound, "the \(name) in the path is no id")
        }
        return id
    }
}
