// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import HTTP2
internal import Keyring

/// The routes by which keys come from elsewhere, and live on.
extension KeyRoutes {
    func addImports(to routes: inout RouteTable) {
        let keys = keys
        var bring = Operation(
            "A key that was made elsewhere, with its private half", .ability([.manageKeys, .ownKeys]),
            body: .document(ImportedKeyDocument.self), answer: .json(.document(KeyDocument.self), .created))
        bring.isSecret = true
        routes.post("/api/v1/keys/import", bring) { request in
            let caller = try request.known()
            let (document, secrets) = try await request.json(
                ImportedKeyDocument.self, keeping: ImportedKeyDocument.secrets)
            return try Self.made(await keys.bring(document.order(secrets), by: caller))
        }
        let issue = Operation(
            "A certificate of this authority for a key whose private half stays elsewhere",
            .ability(.manageKeys), body: .document(CertificateRequestDocument.self),
            answer: .json(.document(KeyDocument.self), .created))
        routes.post("/api/v1/keys/{key}/certificates", issue) { request in
            let caller = try request.known()
            let order = try await request.json(CertificateRequestDocument.self).order()
            return try Self.made(await keys.issue(order, by: request.path("key"), for: caller))
        }
        let renew = Operation(
            "Gives a key another end: its owner's statements are made anew, or its certificate",
            .ability([.manageKeys, .ownKeys]), body: .document(RenewalDocument.self), conditional: true,
            answer: .json(.document(KeyDocument.self)))
        routes.post("/api/v1/keys/{key}/actions/renew", renew) { request in
            let caller = try request.known()
            let end = try await request.json(RenewalDocument.self).expires
            let stored = try await keys.renew(request.path("key"), until: end, by: caller) { seen in
                _ = try request.judge(current: seen.tag)
            }
            return try .json(KeyDocument(stored)).tagged(stored.tag)
        }
    }

    private static func made(_ stored: StoredKey) throws -> Response {
        var response = try Response.json(KeyDocument(stored), status: .created).tagged(stored.tag)
        response.fields.append("location", "/api/v1/keys/\(stored.record.id)")
        return response
    }
}
