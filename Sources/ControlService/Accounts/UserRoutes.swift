// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

/// `/api/v1/users`: decodes and encodes for `UserRegister`.
struct UserRoutes {
    let users: UserRegister

    func add(to router: inout Router) {
        let users = users
        router.get("/api/v1/users/info") { request in
            let caller = try request.known()
            guard let user = caller.user else { throw HTTPError(.notFound, "the caller is no user") }
            return try .json(CallerDocument(user))
        }
        router.get("/api/v1/users") { request in
            try .json(await users.list(for: request.known()).map { UserDocument($0) })
        }
        router.post("/api/v1/users", .document) { request in
            let caller = try request.known()
            let new = try await request.json(NewUserDocument.self)
            return try .json(
                UserDocument(await users.add(new.email, new.role, by: caller)), status: .created)
        }
        router.get("/api/v1/users/{id}") { request in
            try .json(UserDocument(await users.user(request.id("id"), for: request.known())))
        }
        router.patch("/api/v1/users/{id}", .document) { request in
            let caller = try request.known()
            let change = try await request.json(UserChangeDocument.self)
            return try .json(
                UserDocument(
                    await users.change(
                        request.id("id"), role: change.role, isDisabled: change.disabled, by: caller)))
        }
        addTokens(to: &router)
    }

    private func addTokens(to router: inout Router) {
        let users = users
        // One's own, and for who manages users those of others.
        for (path, isOwn) in [("/api/v1/users/api_keys", true), ("/api/v1/users/{id}/api_keys", false)] {
            let owner: @Sendable (Request) throws -> UserID = { request in
                guard isOwn else { return try request.id("id") }
                guard let user = try request.known().user else {
                    throw HTTPError(.notFound, "the caller is no user")
                }
                return user.id
            }
            router.get(path) { request in
                let caller = try request.known()
                return try .json(
                    await users.tokens(of: owner(request), for: caller).map { TokenDocument($0) })
            }
            router.post(path, .document) { request in
                let caller = try request.known()
                let user = try owner(request)
                let new = try await request.json(NewTokenDocument.self)
                let life = new.expires.map { $0 - users.clock() }
                let made = try await users.addToken(
                    of: user, summary: new.description, life: life, by: caller)
                var response = try Response.json(TokenDocument(made), status: .created)
                response.fields.append("cache-control", "no-store")
                return response
            }
            router.delete(path + "/{token}") { request in
                let caller = try request.known()
                try await users.revokeToken(request.id("token"), of: owner(request), by: caller)
                return Response(.ok)
            }
        }
    }
}

extension Route.Options {
    /// A small JSON document.
    static let document = Route.Options(body: 64 << 10, consumes: ["application/json"])
}
