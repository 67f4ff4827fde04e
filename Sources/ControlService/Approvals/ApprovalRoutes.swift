// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Keyring

/// `/api/v1/approvals`: what waits for administrators. It is asked for by what needs approvals.
struct ApprovalRoutes {
    let approvals: ApprovalRegister

    func add(to routes: inout RouteTable) {
        let approvals = approvals
        let list = Operation(
            "What waited for administrators, the newest first", .ability(.readKeys),
            query: ProposalQuery.parameters, answer: .json(.part(of: ApprovalDocument.self)))
        routes.get("/api/v1/approvals", list) { request in
            let caller = try request.known()
            let list = try await approvals.list(ProposalQuery(request.query), for: caller)
            return try .json(PartDocument(data: list.map { ApprovalDocument($0) }))
        }
        let show = Operation(
            "What waits for administrators", .ability(.readKeys),
            answer: .json(.document(ApprovalDocument.self)))
        routes.get("/api/v1/approvals/{id}", show) { request in
            let caller = try request.known()
            return try .json(ApprovalDocument(await approvals.proposal(request.id("id"), for: caller)))
        }
        let approve = Operation(
            "Approves a request", .ability([.manageKeys, .ownKeys]),
            answer: .json(.document(ApprovalDocument.self)))
        routes.post("/api/v1/approvals/{id}/actions/approve", approve) { request in
            let caller = try request.known()
            return try .json(ApprovalDocument(await approvals.approve(request.id("id"), by: caller)))
        }
        let reject = Operation(
            "Ends a request without what it asks for", .ability([.manageKeys, .ownKeys]),
            answer: .json(.document(ApprovalDocument.self)))
        routes.post("/api/v1/approvals/{id}/actions/reject", reject) { request in
            let caller = try request.known()
            return try .json(ApprovalDocument(await approvals.reject(request.id("id"), by: caller)))
        }
    }
}
