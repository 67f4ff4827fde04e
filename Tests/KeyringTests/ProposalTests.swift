// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Secrets
import Testing

@Suite struct ProposalTests {
    private static let start = Samples.now

    private func user(
        _ name: String, _ role: Role = .administrator, since: Duration = .zero, isDisabled: Bool = false
    )
        throws -> User
    {
        try User(
            id: .random(), name: name, role: role, isDisabled: isDisabled, created: Self.start,
            powersSince: Self.start + since)
    }

    private func proposal(by user: User, needed: Int = 2) throws -> Proposal {
        try Proposal(
            id: .random(), .revocation, of: .key(.random()), because: .superseded,
            by: Proposal.Voice(user: user.id, name: user.name, time: Self.start + .seconds(10)),
            needed: needed,
            ends: Self.start + .seconds(100))
    }

    private func code(_ body: () throws -> Void) -> ErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? any CodedError)?.code }
    }

    /// What is not the end of a key has a layout of its own, and neither is read as the other.
    @Test func whatItIsAbout() throws {
        let asker = Proposal.Voice(user: try .random(), name: "a", time: Self.start)
        for subject in [Proposal.Subject.everything, .key(try .random())] {
            let thaw = try Proposal(
                id: .random(), .thawing, of: subject, by: asker, needed: 1, ends: Self.start + .seconds(1))
            #expect(try Proposal(decoding: thaw.encoded) == thaw)
        }
        #expect(
            code {
                _ = try Proposal(
                    id: .random(), .deletion, of: .everything, by: asker, needed: 1,
                    ends: Self.start + .seconds(1))
            } == .invalidArgument)
        let word = Array("proposal 1".utf8)
        var bytes = try proposal(by: user("b")).encoded
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: word) })
        bytes[place + word.count - 1] = UInt8(ascii: "2")
        #expect(code { _ = try Proposal(decoding: bytes) } == .recordMalformed)
    }

    @Test func whoCounts() throws {
        let asker = try user("asker")
        let now = Self.start + .seconds(20)
        let open = try proposal(by: asker)
        let refused: [(String, User, Moment, ErrorCode)] = [
            ("the one who asked", asker, now, .approvalRefused),
            ("a viewer", try user("v", .viewer), now, .approvalRefused),
            ("one who is disabled", try user("d", isDisabled: true), now, .approvalRefused),
            ("one who is younger", try user("y", since: .seconds(11)), now, .approvalRefused),
            ("one who comes too late", try user("l"), Self.start + .seconds(100), .approvalOver),
        ]
        for (what, user, time, expected) in refused {
            #expect(code { _ = try open.approved(by: user, at: time) } == expected, "\(what)")
        }
        let first = try user("first", since: .seconds(10))
        let once = try open.approved(by: first, at: now)
        #expect(!once.isApproved && code { _ = try once.closed(as: .done, at: now) } == .approvalRefused)
        #expect(code { _ = try once.approved(by: first, at: now) } == .approvalRefused)
        let twice = try once.approved(by: user("second"), at: now)
        #expect(twice.isApproved && !twice.counting([first.id]).isApproved)
        #expect(try once.takenBack(by: first.id, at: now) == open)
        #expect(code { _ = try open.takenBack(by: first.id, at: now) } == .approvalRefused)
        let done = try twice.closed(as: .done, at: now)
        #expect(done.closed == now && done.isOver(at: Self.start))
        for state in [Proposal.State.done, .cancelled, .expired] {
            #expect(code { _ = try done.closed(as: state, at: now) } == .approvalOver)
        }
    }

    @Test func oneForm() throws {
        var proposal = try proposal(by: user("asker"))
        for state in [nil, Proposal.State.done, .cancelled, .expired] {
            for _ in 0..<2 { proposal = try proposal.approved(by: user("x"), at: Self.start + .seconds(11)) }
            let shown =
                try state.map { try proposal.closed(as: $0, at: Self.start + .seconds(12)) } ?? proposal
            let bytes = shown.encoded
            #expect(try Proposal(decoding: bytes) == shown)
            #expect(code { _ = try Proposal(decoding: bytes + [0]) } == .recordMalformed)
            for cut in stride(from: 0, to: bytes.count, by: 7) {
                #expect(code { _ = try Proposal(decoding: Array(bytes[..<cut])) } == .recordMalformed)
            }
        }
    }

    /// Whatever is changed about a stored request, its code breaks.
    @Test func rowsAreGenuine() async throws {
        let control = try await ClusterKey.make(.control, wrappedBy: OpenKMS(), at: Self.start).key
        let data = try await ClusterKey.make(.data, wrappedBy: OpenKMS(), at: Self.start).key
        let open = try proposal(by: user("asker"))
        let stored = try control.store(open)
        try control.checkRow(stored)
        #expect(code { _ = try data.store(open) } == .sealBroken)
        let more = try open.approved(by: user("x"), at: Self.start + .seconds(11))
        let forged = StoredProposal(proposal: more, code: stored.code, edition: 1)
        #expect(code { try control.checkRow(forged) } == .rowForged)
        #expect(code { _ = try control.store(more, insteadOf: forged) } == .rowForged)
        try control.checkRow(control.store(more, insteadOf: stored))
    }

    private struct OpenKMS: KeyWrapping {
        let provider = "open"
        func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
            WrappedSecret(key: "k", version: "1", ciphertext: (0..<key.count).map { key.bytes[$0] })
        }
        func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
            let bytes = wrapped.ciphertext
            return try SecretBytes(copying: bytes.span)
        }
        func checkHealth() async throws {}
    }
}
