// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

/// `/api/v1/keys`: decodes and encodes for `KeyRegister`.
struct KeyRoutes {
    let keys: KeyRegister

    func add(to routes: inout RouteTable) {
        let keys = keys
        // Signatrust's clients write the slash at the end.
        for path in ["/api/v1/keys", "/api/v1/keys/"] {
            let list = Operation(
                "The keys that the caller may see, by name", .ability(.readKeys), query: KeyQuery.parameters,
                answer: .json(.page(of: KeyDocument.self)))
            routes.get(path, list) { request in
                let caller = try request.known()
                let page = try await keys.list(KeyQuery(request.query, for: caller), for: caller)
                return try .json(KeyListDocument(page, waiting: await keys.waiting(page.keys)))
            }
            let make = Operation(
                "A new key", .ability([.manageKeys, .ownKeys]), body: .document(NewKeyDocument.self),
                answer: .json(.document(KeyDocument.self), .created))
            routes.post(path, make) { request in
                let caller = try request.known()
                let order = try await request.json(NewKeyDocument.self).order()
                let made = try await keys.generate(order, by: caller)
                var response = try Response.json(KeyDocument(made), status: .created).tagged(made.tag)
                response.fields.append("location", "/api/v1/keys/\(made.record.id)")
                return response
            }
        }
        let isFree = Operation(
            "Whether a new key may have the name: 409 when it is taken", .ability(.readKeys),
            query: [
                .init("name", .string(KeyName.shortest...KeyName.longest), required: true),
                .init("visibility", .choice(of: Visibility.self), "public without it"),
            ], answer: .empty())
        routes.head("/api/v1/keys/name_identical", isFree) { request in
            let caller = try request.known()
            let name = try KeyName(request.query.required("name"))
            let visibility = try Visibility.named(request.query.value("visibility") ?? "public")
            guard try await keys.isFree(name, isPrivate: visibility == .private, for: caller) else {
                throw ControlError(.keyNameTaken, "there is a key \(name)")
            }
            return Response(.ok)
        }
        let show = Operation(
            "A key", .ability(.readKeys), conditional: true, answer: .json(.document(KeyDocument.self)))
        routes.get("/api/v1/keys/{key}", show) { request in
            let stored = try await keys.key(request.path("key"), for: request.known())
            if let answer = try request.judge(current: stored.tag) { return answer }
            let waiting = try await keys.waiting([stored])[stored.record.id]
            return try .json(KeyDocument(stored, waiting: waiting)).tagged(stored.tag)
        }
        addImports(to: &routes)
        addActions(to: &routes)
        addPublicParts(to: &routes)
    }

    private func addActions(to routes: inout RouteTable) {
        let keys = keys
        for (name, action) in [("enable", KeyAction.enable), ("disable", .disable)] {
            let operation = Operation(
                "Makes a key \(name)d"
                    + (action == .enable ? ", or has that approved for a guarded one" : ""),
                .ability([.switchKeys, .ownKeys]), conditional: true, answer: .empty(),
                otherwise: action == .enable ? Self.asked : nil)
            routes.post("/api/v1/keys/{key}/actions/\(name)", operation) { request in
                let caller = try request.known()
                let decision = try await keys.apply(action, to: request.path("key"), by: caller) { seen in
                    _ = try request.judge(current: seen.tag)
                }
                return try Self.answer(decision)
            }
        }
        for (name, isGuarded) in [("guard", true), ("unguard", false)] {
            let operation = Operation(
                isGuarded
                    ? "Lets enabling a key, and grants that name it, take approvals"
                    : "Ends that, once it is approved", .ability(.manageKeys), conditional: true,
                answer: .empty(), otherwise: isGuarded ? nil : Self.asked)
            routes.post("/api/v1/keys/{key}/actions/\(name)", operation) { request in
                let caller = try request.known()
                let decision = try await keys.setGuard(isGuarded, of: request.path("key"), by: caller) {
                    seen in
                    _ = try request.judge(current: seen.tag)
                }
                return try Self.answer(decision)
            }
        }
        for (name, operation) in [("delete", Proposal.Operation.deletion), ("revoke", .revocation)] {
            let path = "/api/v1/keys/{key}/actions/"
            let ask = Operation(
                "Asks for a key's \(operation.words), or approves what somebody else asked for",
                .ability([.manageKeys, .ownKeys]),
                body: operation == .revocation ? .document(RevocationDocument.self) : nil, conditional: true,
                answer: .empty())
            let cancel = Operation(
                "Takes back one's approval of a key's \(operation.words), or one's request for it",
                .ability([.manageKeys, .ownKeys]), conditional: true, answer: .empty())
            let request: @Sendable (Request, RevocationReason?) async throws -> Response = {
                request, reason in
                let caller = try request.known()
                let stored = try await keys.request(
                    operation, of: request.path("key"), because: reason, by: caller
                ) { _ = try request.judge(current: $0.tag) }
                return Response(.ok).tagged(stored.tag)
            }
            if operation == .revocation {
                routes.post(path + "request_\(name)", ask) {
                    try await request($0, $0.json(RevocationDocument.self).reason)
                }
            } else {
                routes.post(path + "request_\(name)", ask) { try await request($0, nil) }
            }
            routes.post(path + "cancel_\(name)", cancel) { request in
                let caller = try request.known()
                let stored = try await keys.cancel(operation, of: request.path("key"), by: caller) {
                    _ = try request.judge(current: $0.tag)
                }
                return Response(.ok).tagged(stored.tag)
            }
        }
    }

    /// What others have to approve first.
    static let asked = Operation.Answer.json(.document(ApprovalDocument.self), .accepted)

    private static func answer(_ decision: Decision<StoredKey>) throws -> Response {
        switch decision {
        case .done(let stored): Response(.ok).tagged(stored.tag)
        case .asked(let proposal): try .json(ApprovalDocument(proposal), status: .accepted)
        }
    }

    private func addPublicParts(to routes: inout RouteTable) {
        let keys = keys
        let publicKey = Operation(
            "The armored OpenPGP certificate of a key", .nothing, conditional: true, answer: .text)
        routes.get("/api/v1/keys/{key}/public_key", publicKey) { request in
            let part = try await Self.exported {
                try await keys.publicKey(request.path("key"), for: request.caller as? Caller)
            }
            return try Self.part(part, request)
        }
        let certificate = Operation(
            "The X.509 certificate of a key, in PEM", .nothing, conditional: true, answer: .text)
        routes.get("/api/v1/keys/{key}/certificate", certificate) { request in
            let part = try await Self.exported {
                try await keys.certificate(request.path("key"), for: request.caller as? Caller)
            }
            return try Self.part(part, request)
        }
        let list = Operation(
            "What an authority revoked, in PEM", .nothing,
            query: [.init("number", .number, "of an old list")], conditional: true, answer: .text)
        routes.get("/api/v1/keys/{key}/crl", list) { request in
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

extension Proposal.Operation {
    fileprivate var words: String { self == .deletion ? "deletion" : "revocation" }
}

extension StoredKey {
    var tag: EntityTag { EntityTag(version: edition) }
}
