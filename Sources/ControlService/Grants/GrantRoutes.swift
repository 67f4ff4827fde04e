// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import Keyring

/// `/api/v1/grants` and `/api/v1/clients`: decodes and encodes for `GrantRegister`.
struct GrantRoutes {
    let grants: GrantRegister
    /// SHA-256 of the certificate of the authority that clients belong to when a request does not say.
    let authority: [UInt8]?

    func add(to router: inout Router) {
        let (grants, authority) = (grants, authority)
        router.get("/api/v1/grants") { request in
            try .json(await grants.list(for: request.known()).map { GrantDocument($0) })
        }
        router.post("/api/v1/grants", .document) { request in
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
        router.get("/api/v1/grants/{id}") { request in
            try .json(GrantDocument(await grants.grant(request.id("id"), for: request.known())))
        }
        router.delete("/api/v1/grants/{id}") { request in
            try await grants.remove(request.id("id"), by: request.known())
            return Response(.noContent)
        }
        router.get("/api/v1/clients/denied") { request in
            let denied = try await grants.denied(for: request.known())
            return try .json(
                denied.sorted { $0.text < $1.text }.map { DeniedClientDocument($0) })
        }
        router.post("/api/v1/clients/actions/deny", .document) { request in
            let caller = try request.known()
            let document = try await request.json(DeniedClientDocument.self)
            try await grants.deny(document.client(authority), by: caller)
            return Response(.noContent)
        }
        router.post("/api/v1/clients/actions/allow", .document) { request in
            let caller = try request.known()
            let document = try await request.json(DeniedClientDocument.self)
            try await grants.allow(document.client(authority), by: caller)
            return Response(.noContent)
        }
    }
}
