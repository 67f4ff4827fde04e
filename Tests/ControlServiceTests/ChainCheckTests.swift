// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import Keyring
import Testing

@testable import Storage

@Suite struct ChainCheckTests {
    private let stores = MemoryStorage { Office.start }

    private func fill(_ count: Int) async throws {
        for number in 0..<count {
            let user = try User(id: .random(), name: "user-\(number)", role: .viewer, created: Office.start)
            try await stores.add(
                user,
                AuditEvent(
                    time: Office.start, actor: .program("test"), action: .userCreate, subject: user.name))
        }
    }

    private var check: ChainCheck { ChainCheck(audit: stores, records: stores) }

    @Test func aChainThatHolds() async throws {
        #expect(try await check.auditHead() == .start)
        try await fill(5)
        let early = try await check.auditHead()
        try await fill2()
        let head = try await check.auditHead(known: [early])
        let told = try await stores.auditHead()
        #expect(head.sequence == 2005 && head == told)
        #expect(try await check.recordHeads().isEmpty)
    }

    /// More than one step.
    private func fill2() async throws {
        for number in 5..<2005 {
            let user = try User(id: .random(), name: "user-\(number)", role: .viewer, created: Office.start)
            _ = try stores.change(
                AuditEvent(
                    time: Office.start, actor: .program("test"), action: .userCreate, subject: user.name)
            ) { _ in }
        }
    }

    private static let faults: [(name: String, spoil: @Sendable (inout MemoryStorage.State) throws -> Void)] =
        [
            ("one is missing", { $0.audit.remove(at: 4) }),
            ("the first is missing", { $0.audit.removeFirst() }),
            ("the last is missing", { $0.audit.removeLast() }),
            ("two are swapped", { $0.audit.swapAt(2, 3) }),
            ("all are gone", { $0.audit.removeAll() }),
            (
                "one was changed",
                { state in
                    let old = state.audit[4]
                    let event = try AuditEvent(
                        time: old.event.time, actor: old.event.actor, action: .tokenCreate, subject: "x")
                    let before = state.audit[3]
                    state.audit[4] = AuditEntry(event, after: before.head)
                }
            ),
            (
                "the last was changed, with the head",
                { state in
                    let event = try AuditEvent(
                        time: Office.start, actor: .program("evil"), action: .tokenCreate, subject: "x")
                    let entry = AuditEntry(event, after: state.audit[8].head)
                    state.audit[9] = entry
                    state.auditHead = entry.head
                }
            ),
            (
                "the end was cut off, with the head",
                { state in
                    state.audit.removeLast(3)
                    state.auditHead = state.audit[6].head
                }
            ),
        ]

    @Test(arguments: faults.indices)
    func whatWasDoneToItShows(_ number: Int) async throws {
        let (name, spoil) = Self.faults[number]
        try await fill(10)
        let head = try await check.auditHead()
        try stores.state.withLock { try spoil(&$0) }
        let error = await #expect(throws: (any Error).self, "\(name)") {
            // As somebody wrote it down.
            _ = try await check.auditHead(known: [head])
        }
        #expect((error as? any CodedError)?.code == .chainBroken, "\(name)")
    }
}
