// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

/// `/api/v1/users`: decodes and encodes for `UserRegister`.
struct UserRoutes {
    let users: UserRegister

    func add(to routes: inout RouteTable) {
        let users = users
        let info = Operation("The caller himself", .token, answer: .json(.document(CallerDocument.self)))
        routes.get("/api/v1/users/info", info) { request in
            let caller = try request.known()
            guard let user = caller.user else { throw HTTPError(.notFound, "the caller is no user") }
            return try .json(CallerDocument(user))
        }
        let list = Operation(
            "The users, by name", .ability(.readUsers), query: UserFilter.parameters,
            answer: .json(.page(of: UserDocument.self)))
        routes.get("/api/v1/users", list) { request in
            let filter = try UserFilter(request.query)
            let found = try await users.list(for: request.known()).filter { filter.includes($0) }
            return try .json(PageDocument(found, Page(request.query)) { UserDocument($0) })
        }
        let add = Operation(
            "A new user; others have to approve a role above a viewer's", .ability(.manageUsers),
            body: .document(NewUserDocument.self), answer: .json(.document(UserDocument.self), .created),
            otherwise: KeyRoutes.asked)
        routes.post("/api/v1/users", add) { request in
            let caller = try request.known()
            let new = try await request.json(NewUserDocument.self)
            let document: UserDocument
            switch try await users.add(new.email, new.role, by: caller) {
            case .done(let user): document = UserDocument(user)
            case .asked(let proposal): return try .json(ApprovalDocument(proposal), status: .accepted)
            }
            var response = try Response.json(document, status: .created)
            response.fields.append("location", "/api/v1/users/\(document.id)")
            return try response.tagged(document.tag)
        }
        let show = Operation(
            "A user; everybody may look at himself", .token, conditional: true,
            answer: .json(.document(UserDocument.self)))
        routes.get("/api/v1/users/{id}", show) { request in
            let user = try await users.user(request.id("id"), for: request.known())
            return try request.conditional(.json(UserDocument(user)))
        }
        let change = Operation(
            "Another role, or what a user may do at all; others have to approve what gives him powers",
            .ability(.manageUsers), body: .document(UserChangeDocument.self), conditional: true,
            answer: .json(.document(UserDocument.self)), otherwise: KeyRoutes.asked)
        routes.patch("/api/v1/users/{id}", change) { request in
            let caller = try request.known()
            let change = try await request.json(UserChangeDocument.self)
            let decision = try await users.change(
                request.id("id"), role: change.role, isDisabled: change.disabled, by: caller
            ) { _ = try request.judge(current: UserDocument($0).tag) }
            switch decision {
            case .done(let user): return try Response.json(UserDocument(user)).tagged(UserDocument(user).tag)
            case .asked(let proposal): return try .json(ApprovalDocument(proposal), status: .accepted)
            }
        }
        addTokens(to: &routes)
    }

    private func addTokens(to routes: inout RouteTable) {
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
            let whose = isOwn ? "of the caller" : "of a user"
            // One's own come bare, as Signatrust's scripts read them.
            let list = Operation(
                "The tokens \(whose)", .token, query: isOwn ? [] : Page.parameters,
                answer: .json(isOwn ? .list(.document(TokenDocument.self)) : .page(of: TokenDocument.self)))
            routes.get(path, list) { request in
                let caller = try request.known()
                let tokens = try await users.tokens(of: owner(request), for: caller)
                guard !isOwn else { return try .json(tokens.map { TokenDocument($0) }) }
                return try .json(PageDocument(tokens, Page(request.query)) { TokenDocument($0) })
            }
            let add = Operation(
                "A new token \(whose), whose text is told this once", .token,
                body: .document(NewTokenDocument.self),
                answer: .json(.document(TokenDocument.self), .created))
            routes.post(path, add) { request in
                let caller = try request.known()
                let user = try owner(request)
                let new = try await request.json(NewTokenDocument.self)
                let life = new.expires.map { $0 - users.clock() }
                let made = try await users.addToken(
                    of: user, summary: new.description, life: life, scopes: new.scopes, by: caller)
                var response = try Response.json(TokenDocument(made), status: .created)
                response.fields.append("cache-control", "no-store")
                return response
            }
            let revoke = Operation("Revokes a token \(whose)", .token, answer: .empty())
            routes.delete(path + "/{token}", revoke) { request in
                let caller = try request.known()
                try await users.revokeToken(request.id("token"), of: owner(request), by: caller)
                return Response(.ok)
            }
        }
    }
}
