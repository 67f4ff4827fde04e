// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
public import Keyring

/// Follows the chains from their first entry to their last: of the audit, and of each data-server's records.
///
/// Every entry holds the digest of the one before, so one that is missing or was changed shows where it is. What was cut off
/// at the end shows by the head that the database keeps for the audit, and by heads that somebody wrote down elsewhere.
public struct ChainCheck: Sendable {
    private let audit: any AuditStore
    private let records: any RecordArchive & RecordServers

    public init(audit: any AuditStore, records: any RecordArchive & RecordServers) {
        self.audit = audit
        self.records = records
    }

    private static let step = 1000

    /// The end of the audit. Throws `chain-broken`, with the place, when it does not hold. `known` are heads that have to
    /// be in it.
    public func auditHead(known: [ChainHead] = []) async throws -> ChainHead {
        // The head first: what comes afterwards is further on.
        let told = try await audit.auditHead()
        var waited = known + [told]
        var head = ChainHead.start
        while true {
            let entries = try await audit.entries(after: head.sequence, limit: Self.step)
            for entry in entries {
                try head.follow(entry.encoded, sequence: entry.sequence, previous: entry.previous)
                try Self.meet(head, &waited)
            }
            if entries.count < Self.step { break }
        }
        try Self.expectAll(waited, until: head)
        return head
    }

    /// The end of each data-server's chain.
    public func recordHeads() async throws -> [(server: ServerName, head: ChainHead)] {
        var heads: [(ServerName, ChainHead)] = []
        for server in try await records.servers() {
            var head = ChainHead.start
            while true {
                let chain = try await records.chain(of: server, after: head.sequence, limit: Self.step)
                for record in chain {
                    guard record.server == server else {
                        throw ControlError(
                            .chainBroken, "a record of \(record.server) stands in the chain of \(server)")
                    }
                    do throws(KeyringError) {
                        try head.follow(record.encoded, sequence: record.sequence, previous: record.previous)
                    } catch {
                        throw ControlError(error.code, "records of \(server): \(error.message)")
                    }
                }
                if chain.count < Self.step { break }
            }
            heads.append((server, head))
        }
        return heads
    }

    private static func meet(_ head: ChainHead, _ waited: inout [ChainHead]) throws {
        for known in waited where known.sequence == head.sequence && known != head {
            throw ControlError(
                .chainBroken, "entry \(head.sequence) of the audit is not the one that was told before")
        }
        waited.removeAll { $0 == head }
    }

    private static func expectAll(_ waited: [ChainHead], until head: ChainHead) throws {
        guard let missing = waited.first(where: { $0 != .start }) else { return }
        throw ControlError(
            .chainBroken,
            "the audit ends with entry \(head.sequence), and entry \(missing.sequence) was told before")
    }
}
