// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import GRPC
internal import SigningProtocol
internal import Transport

/// Deals jobs to all servers: each goes to the live stream that has the fewest, in turn among equals. What a server
/// leaves unanswered, or answers with a wish to be asked again, goes to another one under the same id, until the time
/// of the job is over. It lives on one loop.
final class JobDispatcher {
    let loop: EventLoop
    private let settings: DispatchSettings
    private let channels: [Channel]
    private var links: [ServerLink] = []
    private var jobs: [UniqueID: JobUnderWay] = [:]
    /// In no stream just now.
    private var waiting: [JobUnderWay] = []
    private var turn = 0
    private var sweeper: LoopTimer?
    private var lastTold: UInt64 = 0
    /// Told now and then while no server can be reached.
    var whenWaiting: (Failure) -> Void = { _ in }
    private(set) var isStopped = false

    init(to servers: [Endpoint], _ settings: DispatchSettings, on loop: EventLoop) {
        self.loop = loop
        self.settings = settings
        channels = servers.map { Channel(to: [$0], on: loop, settings.channel) }
        for (server, channel) in channels.enumerated() {
            for _ in 0..<settings.streams {
                links.append(ServerLink(to: server, SigningChannel(channel), of: self))
            }
        }
        for link in links { link.start() }
        scheduleSweep()
    }

    /// Asks one server after the other, until one answers or the time is over.
    func describeKey(_ name: String) async throws(Failure) -> KeyDescription {
        let end = loop.clock.nanoseconds() &+ settings.retryFor.wholeNanoseconds
        var number = 0
        while true {
            let signing = SigningChannel(channels[number % channels.count])
            number += 1
            do throws(Failure) {
                return try await signing.describeKey(name, CallOptions(timeout: settings.attempt))
            } catch {
                guard !isStopped else { throw Failure(.cancelled, "the run was stopped") }
                guard error.isPassing, loop.clock.nanoseconds() < end else { throw error }
                tellWaiting(error)
            }
            if number.isMultiple(of: channels.count) { try? await Task.sleep(for: .milliseconds(100)) }
        }
    }

    func submit(_ job: SigningJob) {
        let underWay = JobUnderWay(
            job, deadline: loop.clock.nanoseconds() &+ settings.retryFor.wholeNanoseconds)
        jobs[job.id] = underWay
        guard !isStopped else {
            return finish(underWay, .failure(Failure(.cancelled, "the run was stopped")))
        }
        waiting.append(underWay)
        deal()
    }

    /// Ends all streams; jobs under way end as cancelled.
    func stop() {
        guard !isStopped else { return }
        isStopped = true
        if let sweeper { loop.cancel(sweeper) }
        for link in links { link.stop() }
        for channel in channels { channel.close() }
        for job in Array(jobs.values) { finish(job, .failure(Failure(.cancelled, "the run was stopped"))) }
        waiting = []
        links = []
    }

    // MARK: What links tell

    func linkIsLive() { deal() }

    func linkEnded(_ link: ServerLink, _ left: [JobUnderWay]) {
        for job in left where jobs[job.job.id] != nil {
            job.lastFailure = link.lastFailure
            again(job, after: .zero)
        }
        failIfRefused()
        deal()
    }

    func received(_ reply: SignReply, on link: ServerLink) {
        link.forget(reply.job)
        // A job may have been answered by another server already.
        guard let job = jobs[reply.job] else { return deal() }
        switch reply.outcome {
        case .success: finish(job, reply.outcome)
        case .failure(let failure):
            job.lastFailure = failure
            if failure.isPassing {
                again(job, after: failure.retryAfter ?? .milliseconds(50))
            } else {
                finish(job, reply.outcome)
            }
        }
        deal()
    }

    // MARK: Dealing

    private func deal() {
        guard !isStopped, !waiting.isEmpty else { return }
        let now = loop.clock.nanoseconds()
        var left: [JobUnderWay] = []
        for (index, job) in waiting.enumerated() {
            guard job.notBefore <= now else {
                left.append(job)
                continue
            }
            guard let link = link(for: job) else {
                left += waiting[index...]
                break
            }
            job.attempts += 1
            job.lastServer = link.server
            job.sentAt = now
            link.send(job)
        }
        waiting = left
    }

    private func link(for job: JobUnderWay) -> ServerLink? {
        let free = links.indices.filter { links[$0].isLive && links[$0].inFlight.count < settings.window }
        let others = free.filter { links[$0].server != job.lastServer }
        let choice = (others.isEmpty ? free : others).min { one, other in
            let counts = (links[one].inFlight.count, links[other].inFlight.count)
            guard counts.0 == counts.1 else { return counts.0 < counts.1 }
            return distance(one) < distance(other)
        }
        guard let choice else { return nil }
        turn = (choice + 1) % links.count
        return links[choice]
    }

    private func distance(_ index: Int) -> Int { (index - turn + links.count) % links.count }

    private func again(_ job: JobUnderWay, after pause: Duration) {
        guard jobs[job.job.id] != nil, !waiting.contains(where: { $0 === job }) else { return }
        job.notBefore = loop.clock.nanoseconds() &+ min(pause, .seconds(5)).wholeNanoseconds
        waiting.append(job)
    }

    /// Once: a job whose answer comes late may wait for another server by then.
    private func finish(_ job: JobUnderWay, _ result: Result<MadeSignature, Failure>) {
        guard jobs.removeValue(forKey: job.job.id) != nil else { return }
        if job.lastFailure != nil { waiting.removeAll { $0 === job } }
        job.job.whenDone(result, job.attempts)
    }

    // MARK: Time

    /// Four times a second: jobs whose pause or time is over, and jobs that a server keeps for too long.
    private func scheduleSweep() {
        sweeper = loop.schedule(after: .milliseconds(250)) { [weak self] in
            guard let self, !isStopped else { return }
            sweep()
            scheduleSweep()
        }
    }

    private func sweep() {
        let now = loop.clock.nanoseconds()
        for job in Array(jobs.values) where job.deadline <= now {
            for link in links { link.forget(job.job.id) }
            waiting.removeAll { $0 === job }
            let reason = job.lastFailure ?? links.lazy.compactMap(\.lastFailure).first
            finish(
                job,
                .failure(
                    reason ?? Failure(.deadlineExceeded, "no server answered within \(settings.retryFor)")))
        }
        let longest = settings.attempt.wholeNanoseconds
        for link in links {
            for job in Array(link.inFlight.values) where now &- job.sentAt > longest {
                // Its answer still counts when it comes.
                link.forget(job.job.id)
                job.lastFailure = Failure(
                    .deadlineExceeded, "a server did not answer within \(settings.attempt)")
                again(job, after: .zero)
            }
        }
        failIfRefused()
        deal()
        if !jobs.isEmpty, links.allSatisfy({ !$0.isLive }),
            let failure = links.lazy.compactMap(\.lastFailure).first
        {
            tellWaiting(failure)
        }
    }

    private func tellWaiting(_ failure: Failure) {
        let now = loop.clock.nanoseconds()
        guard lastTold == 0 || now &- lastTold > Duration.seconds(5).wholeNanoseconds else { return }
        lastTold = now
        whenWaiting(failure)
    }

    /// When every server has refused this client for good, there is nothing to wait for.
    private func failIfRefused() {
        guard links.allSatisfy({ !$0.isLive && $0.lastFailure.map { !$0.isPassing } == true }) else { return }
        let refused = waiting
        for job in refused {
            finish(
                job, .failure(job.lastFailure ?? links[0].lastFailure ?? Failure(.unavailable, "no server")))
        }
    }
}

/// How jobs are dealt.
struct DispatchSettings: Sendable {
    var channel: ChannelSettings
    /// Streams to each server.
    var streams = 2
    /// Jobs under way on one stream.
    var window = 64
    /// How long one server may take for a job before another one is asked.
    var attempt = Duration.seconds(30)
    /// How long a job is tried at all.
    var retryFor = Duration.seconds(300)
}

extension Failure {
    /// Whether another server, or the same one later, may well answer otherwise.
    var isPassing: Bool {
        if retryAfter != nil { return true }
        return switch code.category {
        case .unavailable, .deadline, .exhausted: true
        default: false
        }
    }
}
