// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Keyring

/// `/api/v1/signatures` and `/api/v1/audit`: encodes for `RecordRegister`.
struct RecordRoutes {
    let records: RecordRegister
    let authority: [UInt8]?

    func add(to routes: inout RouteTable) {
        let (records, authority) = (records, authority)
        let list = Operation(
            "What was signed, the newest first", .ability(.readRecords), query: RecordQuery.parameters,
            answer: .json(.part(of: RecordDocument.self)))
        routes.get("/api/v1/signatures", list) { request in
            let caller = try request.known()
            let query = try RecordQuery(request.query, authority: authority)
            let list = try await records.list(query, for: caller)
            return try .json(PartDocument(data: list.map { RecordDocument($0) }))
        }
        let audit = Operation(
            "What was done to keys, users and grants, the oldest first", .ability(.readAudit),
            query: [
                .init("after", .number, "a sequence number"),
                .init("limit", .integer(1...1000), "100 without it"),
            ], answer: .json(.part(of: AuditDocument.self)))
        routes.get("/api/v1/audit", audit) { request in
            let caller = try request.known()
            let limit = try request.query.value("limit", as: Int.self) ?? 100
            guard (1...1000).contains(limit) else { throw ControlError(.invalidArgument, "limit: 1 to 1000") }
            let entries = try await records.audit(
                after: request.query.value("after", as: UInt64.self) ?? 0, limit: limit, for: caller)
            return try .json(PartDocument(data: entries.map { AuditDocument($0) }))
        }
    }
}
