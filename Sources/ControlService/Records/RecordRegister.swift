// SPDX-License-Identifier: Apache-2.0

public import Keyring

/// What was signed, and what was done to keys, users and grants: to be read, never changed.
public struct RecordRegister: Sendable {
    let records: any RecordArchive
    let audit: any AuditStore

    public init(records: any RecordArchive, audit: any AuditStore) {
        self.records = records
        self.audit = audit
    }

    /// The newest first.
    public func list(_ query: RecordQuery, for caller: Caller) async throws -> [SignatureRecord] {
        try caller.require(.readRecords)
        return try await records.records(query)
    }

    /// The oldest first.
    public func audit(after sequence: UInt64, limit: Int, for caller: Caller) async throws -> [AuditEntry] {
        try caller.require(.readAudit)
        return try await audit.entries(after: sequence, limit: limit)
    }
}
