// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import HTTP
internal import HTTP2

/// The REST API of the control plane over its registers (docs/reference/rest.md).
public struct ControlAPI: Sendable {
    let keys: KeyRegister
    let users: UserRegister
    let grants: GrantRegister
    let approvals: ApprovalRegister
    let records: RecordRegister
    let readiness: Readiness
    let authority: [UInt8]?
    let limits: RateLimits?

    /// `authority` is the SHA-256 of the certificate of the authority that clients belong to when a request does not
    /// name one. Without `limits` everybody may ask as often as he likes.
    public init(
        keys: KeyRegister, users: UserRegister, grants: GrantRegister, approvals: ApprovalRegister,
        records: RecordRegister, readiness: Readiness, authority: [UInt8]?, limits: RateLimits? = nil
    ) {
        self.keys = keys
        self.users = users
        self.grants = grants
        self.approvals = approvals
        self.records = records
        self.readiness = readiness
        self.authority = authority
        self.limits = limits
    }

    /// All of the service but its sockets.
    public var router: Router {
        get throws { try routes.describing(itselfAt: "/api-doc/openapi.json").router }
    }

    var routes: RouteTable {
        var router = Router()
        let (users, readiness, limits) = (users, readiness, limits)
        router.around { request, next in
            let request = try await request.authenticated(by: users, within: limits)
            var response = try await next(request)
            // What is meant for one caller stays with him.
            if !response.fields.contains("cache-control") {
                response.fields.append("cache-control", "no-store")
            }
            return response
        }
        var routes = RouteTable(router)
        let health = Operation(
            "Whether the database and the key service are there", .nothing, answer: .empty())
        routes.get("/api/health/", health) { _ in
            let troubles = await readiness.troubles()
            guard let trouble = troubles.first else { return Response(.ok) }
            throw HTTPError(.unavailable, "\(trouble.part) is not available", fields: ["retry-after": "1"])
        }
        KeyRoutes(keys: keys).add(to: &routes)
        ApprovalRoutes(approvals: approvals).add(to: &routes)
        FreezeRoutes(freezes: approvals.freezes).add(to: &routes)
        UserRoutes(users: users).add(to: &routes)
        GrantRoutes(grants: grants, authority: authority).add(to: &routes)
        RecordRoutes(records: records, authority: authority).add(to: &routes)
        return routes
    }
}
