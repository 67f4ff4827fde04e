// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import GRPC
internal import Keyring
internal import SigningProtocol
internal import Transport

/// One call of Sign: reads jobs, has several done at once and sends their replies as they are ready. It lives on the
/// loop of its call.
///
/// It stops reading while its client has as many jobs in flight as a stream may have, replies that he does not take
/// included, and refuses those that are over the limits of the client or the server.
final class JobStream {
    private let call: SignCall
    private let client: Client
    private let service: SigningService
    /// Jobs whose claim goes on.
    private var uploads: [UniqueID: Upload] = [:]
    private var uploadWatch: LoopTimer?
    /// While it does not read, nobody is late.
    private var isReading = true
    /// Jobs of which a part was refused: what follows of them is skipped.
    private var skipped: Set<UniqueID> = []
    private var inFlight = 0
    private var outbox: [SignReply] = []
    private var isSending = false
    private var isDraining = false
    private var waiter: CheckedContinuation<Void, Never>?

    /// A claim of which more is to come, and how far it was when it last had made a step.
    private struct Upload {
        var intake: ClaimIntake
        var mark: (count: Int, time: UInt64)
    }

    init(_ call: SignCall, _ client: Client, _ service: SigningService) {
        self.call = call
        self.client = client
        self.service = service
    }

    private var loop: EventLoop { call.call.loop }
    private var busy: Int { inFlight + outbox.count }

    func run() async throws {
        defer { letGo() }
        let lane = service.lane(of: client)
        while let request = try await call.next() {
            do {
                if let intake = try take(request) { start(intake, in: lane) }
            } catch {
                // What is wrong with a job's message is the job's own failure.
                service.metrics.refused(nil)
                reply(SignReply(job: request.job, .failure(Failure(service: error))))
            }
            await rest()
        }
        guard uploads.isEmpty else {
            throw DataServiceError(.badClaim, "the stream ended within the content of a job")
        }
        await wait { self.busy == 0 }
    }

    /// The server is about to end: what is under way is answered, and then the call ends.
    func drain() {
        isDraining = true
        endIfDrained()
    }

    private func endIfDrained() {
        guard isDraining, busy == 0 else { return }
        call.end(Failure(service: SigningService.draining))
    }

    // MARK: Taking

    /// A job whose claim is whole; nil when more of it is to come.
    private func take(_ request: SignRequest) throws -> ClaimIntake? {
        let job = request.job
        if skipped.contains(job) {
            if request.isPart {
                if !request.more { skipped.remove(job) }
                return nil
            }
            skipped.remove(job)
        }
        guard !isDraining else { throw SigningService.draining }
        do {
            // Taken out, so that it grows in place.
            if let known = uploads.removeValue(forKey: job) {
                let intake = try add(request, to: known.intake)
                if request.more { goOn(intake, known.mark) }
                return request.more ? nil : intake
            }
            try service.ledger.admit(client.identity)
            do {
                let intake = try ClaimIntake(request, service.limits)
                try service.ledger.hold(intake.held, for: client.identity)
                if request.more { goOn(intake, nil) }
                return request.more ? nil : intake
            } catch {
                service.ledger.release(client.identity, 0)
                throw error
            }
        } catch {
            if request.more { skip(job) }
            throw error
        }
    }

    /// What follows of the job is not looked at.
    private func skip(_ job: UniqueID) {
        skipped.insert(job)
        if skipped.count > service.limits.jobsOfStream {
            call.end(Failure(.tooManyJobs, "too many refused jobs go on", retryAfter: .seconds(1)))
        }
    }

    /// What it refuses is let go of.
    private func add(_ request: SignRequest, to intake: consuming ClaimIntake) throws -> ClaimIntake {
        let held = intake.held
        do {
            try intake.add(request)
            if intake.held > held { try service.ledger.hold(intake.held - held, for: client.identity) }
            return intake
        } catch {
            service.ledger.release(client.identity, held)
            throw error
        }
    }

    private func release(_ intake: ClaimIntake) { service.ledger.release(client.identity, intake.held) }

    // MARK: Waiting for more

    private func goOn(_ intake: ClaimIntake, _ mark: (count: Int, time: UInt64)?) {
        var upload = Upload(intake: intake, mark: mark ?? (intake.count, service.clock.nanoseconds()))
        if intake.count - upload.mark.count >= service.limits.uploadStep {
            upload.mark = (intake.count, service.clock.nanoseconds())
        }
        uploads[intake.job] = upload
        if uploadWatch == nil { watchUploads() }
    }

    private func watchUploads() {
        uploadWatch = loop.schedule(after: service.limits.uploadPause / 4) { [weak self] in
            guard let self else { return }
            uploadWatch = nil
            if isReading { dropUploads() }
            if !uploads.isEmpty { watchUploads() }
        }
    }

    /// Refuses those that stand still: what they hold is for others.
    private func dropUploads() {
        let (now, pause) = (service.clock.nanoseconds(), service.limits.uploadPause)
        for (job, upload) in uploads where now >= upload.mark.time &+ pause.wholeNanoseconds {
            uploads[job] = nil
            release(upload.intake)
            skip(job)
            service.metrics.refused(upload.intake.kind)
            let failure = Failure(
                .deadlineExceeded, "content: no more of it came within \(pause)",
                retryAfter: service.limits.retryAfter)
            reply(SignReply(job: job, .failure(failure)))
        }
    }

    /// Reads no further while as many jobs are under way as a stream may have.
    private func rest() async {
        guard busy >= service.limits.jobsOfStream else { return }
        isReading = false
        await wait { self.busy < self.service.limits.jobsOfStream }
        isReading = true
        let now = service.clock.nanoseconds()
        for job in uploads.keys { uploads[job]?.mark.time = now }
    }

    // MARK: Doing

    private func start(_ intake: ClaimIntake, in lane: WorkQueue.Lane) {
        inFlight += 1
        let job = SigningJob(intake, of: client, in: lane, call: call.call, service)
        loop.spawn(holding: (self, job)) { (stream, job) in
            let outcome = await job.outcome()
            stream.inFlight -= 1
            stream.release(intake)
            stream.reply(SignReply(job: intake.job, outcome))
            stream.endIfDrained()
        }
    }

    // MARK: Answering

    private func reply(_ reply: SignReply) {
        if outbox.isEmpty, call.call.hasRoom {
            // It fails when the call has ended, and then nobody waits for it.
            try? call.post(reply)
        } else {
            outbox.append(reply)
            if !isSending {
                isSending = true
                loop.spawn(holding: self) { stream in await stream.send() }
            }
        }
        wake()
    }

    private func send() async {
        while !outbox.isEmpty {
            let next = outbox.removeFirst()
            do { try await call.send(next) } catch { outbox = [] }
        }
        isSending = false
        wake()
        endIfDrained()
    }

    private func letGo() {
        if let uploadWatch { loop.cancel(uploadWatch) }
        for upload in uploads.values { release(upload.intake) }
        uploads = [:]
    }

    /// Waits until it holds; only `run` waits.
    private func wait(_ holds: () -> Bool) async {
        while !holds(), !call.call.hasEnded {
            await withCheckedContinuation { continuation in
                // The task may have let others run on its way here.
                if holds() { continuation.resume() } else { waiter = continuation }
            }
        }
    }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }
}

extension Failure {
    /// What a client is told of an error of the service.
    init(service error: any Error) {
        if let error = error as? DataServiceError {
            self.init(error.code, error.message, retryAfter: error.retryAfter)
        } else {
            self.init(error)
        }
    }
}
