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
    private var intakes: [UniqueID: ClaimIntake] = [:]
    /// Jobs of which a part was refused: what follows of them is skipped.
    private var skipped: Set<UniqueID> = []
    private var inFlight = 0
    private var outbox: [SignReply] = []
    private var isSending = false
    private var isDraining = false
    private var waiter: CheckedContinuation<Void, Never>?

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
            await wait { self.busy < self.service.limits.jobsOfStream }
        }
        guard intakes.isEmpty else {
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
            if let known = intakes.removeValue(forKey: job) {
                let intake = try add(request, to: known)
                if request.more { intakes[job] = intake }
                return request.more ? nil : intake
            }
            try service.ledger.admit(client.identity)
            do {
                let intake = try ClaimIntake(request, service.limits)
                try service.ledger.hold(intake.held)
                if request.more { intakes[job] = intake }
                return request.more ? nil : intake
            } catch {
                service.ledger.release(client.identity)
                throw error
            }
        } catch {
            if request.more { skipped.insert(job) }
            if skipped.count > service.limits.jobsOfStream {
                call.end(Failure(.tooManyJobs, "too many refused jobs go on", retryAfter: .seconds(1)))
            }
            throw error
        }
    }

    /// What it refuses is let go of.
    private func add(_ request: SignRequest, to intake: consuming ClaimIntake) throws -> ClaimIntake {
        let held = intake.held
        do {
            try intake.add(request)
            if intake.held > held { try service.ledger.hold(intake.held - held) }
            return intake
        } catch {
            service.ledger.letGo(of: held)
            service.ledger.release(client.identity)
            throw error
        }
    }

    private func release(_ intake: ClaimIntake) {
        service.ledger.letGo(of: intake.held)
        service.ledger.release(client.identity)
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
        for intake in intakes.values { release(intake) }
        intakes = [:]
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
