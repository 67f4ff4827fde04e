// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import GRPC
internal import Keyring
internal import Signatures
internal import SigningProtocol
internal import Transport

/// The life of one job, from its whole claim to its answer, on the loop of its client.
///
///     grant -> key -> claim -> permit -> signature, verified -> record -> answer
///
/// Each step needs what the one before gave, and none can be left out: the permit is the gate's alone to give, signing
/// uses it up, and the answer is made from the record.
struct SigningJob {
    private let intake: ClaimIntake
    private let client: Client
    private let lane: WorkQueue.Lane
    private let call: ServerCall
    private let service: SigningService
    private let started: UInt64
    private let deadline: UInt64

    init(
        _ intake: ClaimIntake, of client: Client, in lane: WorkQueue.Lane, call: ServerCall,
        _ service: SigningService
    ) {
        self.intake = intake
        self.client = client
        self.lane = lane
        self.call = call
        self.service = service
        started = service.clock.nanoseconds()
        let limits = service.limits
        let asked = intake.timeout == 0 ? limits.jobTime : .milliseconds(Int64(intake.timeout))
        let own = started &+ min(asked, limits.longestJobTime).wholeNanoseconds
        deadline = call.deadline.map { min($0, own) } ?? own
    }

    func outcome() async -> SignReply.Outcome {
        do {
            let signature = try await signature()
            service.metrics.signed(
                intake.kind, isStored: signature.isStored,
                in: .nanoseconds(Int64(clamping: service.clock.nanoseconds() &- started)))
            return .success(signature)
        } catch {
            service.metrics.refused(intake.kind)
            if !(error is any CodedError), !(error is CancellationError) {
                service.log.error("a job failed for a reason without a name")
            }
            return .failure(Failure(service: error))
        }
    }

    private func signature() async throws -> MadeSignature {
        try service.checkCertificate(of: call)
        // Before the database is asked, which may be away.
        try service.localFreeze.check()
        let judgement = try await service.watch.judged(since: started, until: deadline) {
            try await self.judgement(by: $0)
        }
        let row = judgement.row
        try service.localFreeze.check(row.record)
        let claim = try intake.inspected(for: row.record)
        let key = try await service.key(for: row, until: deadline)
        guard !call.hasEnded else { throw CancellationError() }
        let time = service.wallClock()
        let permit = try judgement.permit(at: time)
        let draft = try key.draft(for: claim, at: time)
        let ruling = permit.ruling
        let slot = PermitSlot(permit)
        let signature = try await service.queue.run(in: lane) { try key.sign(draft, slot) }
        try service.localFreeze.check(row.record)
        let record = try RecordDraft(
            job: JobID(intake.job), ruling: ruling, scheme: row.record.scheme,
            fingerprint: row.record.fingerprint, time: time, claim: claim.digest, content: claim.content,
            isBlind: claim.isBlind, facts: claim.facts, signature: signature)
        return try await recorded(record)
    }

    private func judgement(by snapshot: Snapshot) async throws -> Judgement {
        let row = try await service.row(named: intake.key, in: snapshot, client, until: deadline)
        let permit = try gate(snapshot).permit(client, key: row.record, kind: intake.kind)
        return Judgement(
            access: snapshot.access, row: row, permit: permit, source: call.remote.source)
    }

    private func gate(_ snapshot: Snapshot) -> Gate {
        Gate(snapshot.access, at: service.wallClock(), from: call.remote.source)
    }

    /// Waits for the record. Whatever was changed since the permit was given is looked at before the row is written.
    private func recorded(_ first: RecordDraft) async throws -> MadeSignature {
        var draft = first
        while true {
            switch try await service.recorder.write(draft, until: deadline) {
            case .stored(let record): return answer(record, isStored: false)
            case .known(let record): return answer(record, isStored: true)
            case .conflict:
                throw DataServiceError(
                    .jobConflict, "the job \(intake.job) was done before, for another key, kind or claim")
            case .stale(let revision):
                service.watch.nudge()
                draft = try await judgedAnew(draft, since: revision)
            }
        }
    }

    /// The same signature under a newer ruling, if it is still allowed.
    private func judgedAnew(_ draft: RecordDraft, since revision: Revision) async throws -> RecordDraft {
        let snapshot = try await service.watch.snapshot(atLeast: revision, until: deadline)
        let row = try await service.row(
            named: draft.ruling.key.description, in: snapshot, client, until: deadline)
        let permit = try gate(snapshot).permit(client, key: row.record, kind: intake.kind)
        guard permit.ruling.keyVersion == draft.ruling.keyVersion else {
            throw DataServiceError(
                .unavailable, "the key \(row.record.name) was renewed meanwhile", retryAfter: .zero)
        }
        return try RecordDraft(
            job: draft.job, ruling: permit.ruling, scheme: draft.scheme, fingerprint: draft.fingerprint,
            time: draft.time, claim: draft.claim, content: draft.content, isBlind: draft.isBlind,
            facts: draft.facts, signature: draft.signature)
    }

    private func answer(_ record: SignatureRecord, isStored: Bool) -> MadeSignature {
        let draft = record.draft
        return MadeSignature(
            signature: draft.signature, keyID: draft.ruling.key.value, keyVersion: draft.ruling.keyVersion,
            fingerprint: draft.fingerprint, created: draft.time.seconds,
            digest: draft.content?.algorithm.rawValue ?? "", contentDigest: draft.content?.bytes ?? [],
            server: record.server.text, sequence: record.sequence, isStored: isStored)
    }
}

/// What a job may do: a permit, and by what it was judged.
struct Judgement: ~Copyable {
    let access: AccessList
    let row: StoredKey
    let permit: SignPermit
    /// From where the client calls.
    var source: SourceAddress?

    /// The private half may have been waited for, and what was granted may have ended meanwhile.
    consuming func permit(at time: Moment) throws(SignRefusal) -> SignPermit {
        if !permit.isExpired(at: time) { return permit }
        let ruling = permit.ruling
        return try Gate(access, at: time, from: source).permit(
            ruling.client, key: row.record, kind: ruling.kind)
    }
}

/// Carries a permit, which can be used once, to the thread that signs.
final class PermitSlot: Sendable {
    private let permit: Lock<SignPermit?>

    init(_ permit: consuming SignPermit) { self.permit = Lock(permit) }

    func take() -> SignPermit? { permit.withLock { $0.take() } }
}
