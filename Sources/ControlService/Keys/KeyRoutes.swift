// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

/// `/api/v1/keys`: decodes and encodes for `KeyRegister`.
struct KeyRoutes {
    let keys: KeyRegister

    func add(to router: inout Router) {
        let keys = keys
        // Signatrust's clients write the slash at the end.
        for path in ["/api/v1/keys", "/api/v1/keys/"] {
            router.get(path) { request in
                let caller = try request.known()
                let page = try await keys.list(KeyQuery(request.query, for: caller), for: caller)
                return try .json(KeyListDocument(page, waiting: await keys.waiting(page.keys)))
            }
            router.post(path, .document) { request in
                let caller = try request.known()
                let order = try await request.json(NewKeyDocument.self).order()
                let made = try await keys.generate(order, by: caller)
                var response = try Response.json(KeyDocument(made), status: .created).tagged(made.tag)
                response.fields.append("location", "/api/v1/keys/\(made.record.id)")
                return response
            }
        }
        router.get("/api/v1/keys/name_identical") { request in
            let caller = try request.known()
            try request.query.allow(["name", "visibility"])
            let name = try KeyName(request.query.required("name"))
            let visibility = try Visibility.named(request.query.value("visibility") ?? "public")
            guard try await keys.isFree(name, isPrivate: visibility == .private, for: caller) else {
                throw ControlError(.keyNameTaken, "there is a key \(name)")
            }
            return Response(.ok)
        }
        router.get("/api/v1/keys/{key}") { request in
            let stored = try await keys.key(request.path("key"), for: request.known())
            if let answer = try request.judge(current: stored.tag) { return answer }
            let waiting = try await keys.waiting([stored])[stored.record.id]
            return try .json(KeyDocument(stored, waiting: waiting)).tagged(stored.tag)
        }
        addActions(to: &router)
        addPublicParts(to: &router)
    }

    private func addActions(to router: inout Router) {
        let keys = keys
        for (name, action) in [("enable", KeyAction.enable), ("disable", .disable)] {
            router.post("/api/v1/keys/{key}/actions/\(name)") { request in
                let caller = try request.known()
                let stored = try await keys.apply(action, to: request.path("key"), by: caller) { seen in
                    _ = try request.judge(current: seen.tag)
                }
                return Response(.ok).tagged(stored.tag)
            }
        }
        for (name, operation) in [("delete", Proposal.Operation.deletion), ("revoke", .revocation)] {
            let path = "/api/v1/keys/{key}/actions/"
            let request: @Sendable (Request, RevocationReason?) async throws -> Response = {
                request, reason in
                let caller = try request.known()
                let stored = try await keys.request(
                    operation, of: request.path("key"), because: reason, by: caller
                ) { _ = try request.judge(current: $0.tag) }
                return Response(.ok).tagged(stored.tag)
            }
            if operation == .revocation {
                router.post(path + "request_\(name)", .document) {
                    // Before the body is read.
                    _ = try $0.known()
                    return try await request($0, $0.json(RevocationDocument.self).reason)
                }
            } else {
                router.post(path + "request_\(name)") { try await request($0, nil) }
            }
            router.post(path + "cancel_\(name)") { request in
                let caller = try request.known()
                let stored = try await keys.cancel(operation, of: request.path("key"), by: caller) {
                    _ = try request.judge(current: $0.tag)
                }
                return Response(.ok).tagged(stored.tag)
            }
        }
    }

    private func addPublicParts(to router: inout Router) {
        let keys = keys
        router.get("/api/v1/keys/{key}/public_key") { request in
            let part = try await Self.exported {
                try await keys.publicKey(request.path("key"), for: request.caller as? Caller)
            }
            return try Self.part(part, request)
        }
        router.get("/api/v1/keys/{key}/certificate") { request in
            let part = try await Self.exported {
                try await keys.certificate(request.path("key"), for: request.caller as? Caller)
            }
            return try Self.part(part, request)
        }
        router.get("/api/v1/keys/{key}/crl") { request in
            try request.query.allow(["number"])
            let number = try request.query.value("number", as: UInt64.self)
            let list = try await keys.revocationList(
                request.path("key"), number: number, for: request.caller as? Caller)
            return try Self.part(list, request)
        }
    }

    /// The wrong sort of key is 403 here, as Signatrust has it.
    private static func exported(_ part: () async throws -> String) async throws -> String {
        do {
            return try await part()
        } catch let error as ControlError where error.code == .keySchemeMismatch {
            throw HTTPError(error.code, error.message, status: .forbidden)
        }
    }

    private static func part(_ text: String, _ request: Request) throws -> Response {
        var response = Response.text(text)
        // What an owner may see is not for whoever asks the same cache after him.
        response.fields.append(
            "cache-control", request.caller == nil ? "public, max-age=300" : "private, max-age=300")
        return try request.conditional(response)
    }
}

extension StoredKey {
    var tag: EntityTag { EntityTag(version: edition) }
}
