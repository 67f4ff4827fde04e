// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import HTTP2
internal import Keyring

/// `/api/v1/grants` and `/api/v1/clients`: decodes and encodes for `GrantRegister`.
struct GrantRoutes {
    let grants: GrantRegister
    /// SHA-256 of the certificate of the authority that clients belong to when a request does not say.
    let authority: [UInt8]?

    func add(to routes: inout RouteTable) {
        let (grants, authority) = (grants, authority)
        let list = Operation(
            "The grants, by creation", .ability(.readGrants), query: GrantFilter.parameters,
            answer: .json(.page(of: GrantDocument.self)))
        routes.get("/api/v1/grants", list) { request in
            let filter = try GrantFilter(request.query)
            let found = try await grants.list(for: request.known()).filter { filter.includes($0) }
            return try .json(PageDocument(found, Page(request.query)) { GrantDocument($0) })
        }
        let add = Operation(
            "A new grant; others have to approve one that names a guarded key",
            .ability([.manageGrants, .ownKeys]), body: .document(NewGrantDocument.self),
            answer: .json(.document(GrantDocument.self), .created), otherwise: KeyRoutes.asked)
        routes.post("/api/v1/grants", add) { request in
            let caller = try request.known()
            let new = try await request.json(NewGrantDocument.self)
            let parts = try IdentityText(new.clients, authority)
            let clients = try IdentityPattern(
                authority: parts.authority, sort: parts.sort, value: parts.value)
            let decision = try await grants.add(
                clients, keys: new.keys, kinds: new.kinds, expires: new.expires, summary: new.description,
                networks: new.networks, by: caller)
            let grant: Grant
            switch decision {
            case .done(let made): grant = made
            case .asked(let proposal): return try .json(ApprovalDocument(proposal), status: .accepted)
            }
            var response = try Response.json(GrantDocument(grant), status: .created)
            response.fields.append("location", "/api/v1/grants/\(grant.id)")
            return try response.tagged(GrantDocument(grant).tag)
        }
        let show = Operation(
            "A grant", .ability(.readGrants), conditional: true,
            answer: .json(.document(GrantDocument.self)))
        routes.get("/api/v1/grants/{id}", show) { request in
            let grant = try await grants.grant(request.id("id"), for: request.known())
            return try request.conditional(.json(GrantDocument(grant)))
        }
        let remove = Operation(
            "Takes a grant back", .ability([.manageGrants, .ownKeys]), conditional: true,
            answer: .empty(.noContent))
        routes.delete("/api/v1/grants/{id}", remove) { request in
            try await grants.remove(request.id("id"), by: request.known()) {
                _ = try request.judge(current: GrantDocument($0).tag)
            }
            return Response(.noContent)
        }
        let denied = Operation(
            "The clients that are shut out, by name", .ability(.readGrants),
            query: [.init("name", .string, "a part of the identity or the fingerprint")] + Page.parameters,
            answer: .json(.page(of: DeniedClientDocument.self)))
        routes.get("/api/v1/clients/denied", denied) { request in
            let name = try request.query.value("name") ?? ""
            let found = try await grants.denied(for: request.known()).filter {
                name.isEmpty || $0.text.contains(name)
            }.sorted { $0.text < $1.text }
            return try .json(PageDocument(found, Page(request.query)) { DeniedClientDocument($0) })
        }
        let deny = Operation(
            "Shuts a client out", .ability(.manageGrants), body: .document(DeniedClientDocument.self),
            answer: .empty(.noContent))
        routes.post("/api/v1/clients/actions/deny", deny) { request in
            let caller = try request.known()
            let document = try await request.json(DeniedClientDocument.self)
            try await grants.deny(document.client(authority), by: caller)
            return Response(.noContent)
        }
        let allow = Operation(
            "Lets a client in again", .ability(.manageGrants), body: .document(DeniedClientDocument.self),
            answer: .empty(.noContent))
        routes.post("/api/v1/clients/actions/allow", allow) { request in
            let caller = try request.known()
            let document = try await request.json(DeniedClientDocument.self)
            try await grants.allow(document.client(authority), by: caller)
            return Response(.noContent)
        }
    }
}
