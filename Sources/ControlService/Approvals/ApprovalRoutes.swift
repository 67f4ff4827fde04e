// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Keyring

/// `/api/v1/approvals`: what waits for administrators. It is asked for by the actions of keys.
struct ApprovalRoutes {
    let keys: KeyRegister

    func add(to router: inout Router) {
        let keys = keys
        router.get("/api/v1/approvals") { request in
            let caller = try request.known()
            let list = try await keys.proposals(ProposalQuery(request.query), for: caller)
            return try .json(PartDocument(data: list.map { ApprovalDocument($0) }))
        }
        router.get("/api/v1/approvals/{id}") { request in
            let caller = try request.known()
            return try .json(ApprovalDocument(await keys.proposal(request.id("id"), for: caller)))
        }
        router.post("/api/v1/approvals/{id}/actions/approve") { request in
            let caller = try request.known()
            return try .json(ApprovalDocument(await keys.approve(request.id("id"), by: caller)))
        }
        router.post("/api/v1/approvals/{id}/actions/reject") { request in
            let caller = try request.known()
            return try .json(ApprovalDocument(await keys.reject(request.id("id"), by: caller)))
        }
    }
}
