// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import Keyring

/// `/api/v1/grants` and `/api/v1/clients`: decodes and encodes for `GrantRegister`.
struct GrantRoutes {
    let grants: GrantRegister
    /// SHA-256 of the certificate of the authority that clients belong to when a request does not say.
    let authority: [UInt8]?

    func add(to routes: inout RouteTable) {
        let (grants, authority) = (grants, authority)
        let list = Operation(
            "The grants, by creation", .ability(.readGrants),
            answer: .json(.list(.document(GrantDocument.self))))
        routes.get("/api/v1/grants", list) { request in
            try .json(await grants.list(for: request.known()).map { GrantDocument($0) })
        }
        let add = Operation(
            "A new grant", .ability([.manageGrants, .ownKeys]), body: .document(NewGrantDocument.self),
            answer: .json(.document(GrantDocument.self), .created))
        routes.post("/api/v1/grants", add) { request in
            let caller = try request.known()
            let new = try await request.json(NewGrantDocument.self)
            let parts = try IdentityText(new.clients, authority)
            let clients = try IdentityPattern(
                authority: parts.authority, sort: parts.sort, value: parts.value)
            let grant = try await grants.add(
                clients, keys: new.keys, kinds: new.kinds, expires: new.expires, summary: new.description,
                by: caller)
            return try .json(GrantDocument(grant), status: .created)
        }
        let show = Operation(
            "A grant", .ability(.readGrants), answer: .json(.document(GrantDocument.self)))
        routes.get("/api/v1/grants/{id}", show) { request in
            try .json(GrantDocument(await grants.grant(request.id("id"), for: request.known())))
        }
        let remove = Operation(
            "Takes a grant back", .ability([.manageGrants, .ownKeys]), answer: .empty(.noContent))
        routes.delete("/api/v1/grants/{id}", remove) { request in
            try await grants.remove(request.id("id"), by: request.known())
            return Response(.noContent)
        }
        let denied = Operation(
            "The clients that are shut out", .ability(.readGrants),
            answer: .json(.list(.document(DeniedClientDocument.self))))
        routes.get("/api/v1/clients/denied", denied) { request in
            let denied = try await grants.denied(for: request.known())
            return try .json(
                denied.sorted { $0.text < $1.text }.map { DeniedClientDocument($0) })
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
