// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import GRPC
internal import SigningProtocol
internal import Transport

/// The dispatcher, which lives on its loop, in the hands of other threads.
final class DispatchHandle: Sendable {
    private struct State: Sendable {
        var dispatcher: LoopBound<JobDispatcher>?
        var isStopped = false
    }

    private let loop: EventLoop
    private let settings: SigningClientSettings
    private let whenWaiting: @Sendable (Failure) -> Void
    private let state = Lock(State())

    init(
        _ settings: SigningClientSettings, on loop: EventLoop,
        whenWaiting: @escaping @Sendable (Failure) -> Void
    ) {
        self.loop = loop
        self.settings = settings
        self.whenWaiting = whenWaiting
    }

    func describeKey(_ name: String) async throws -> KeyDescription {
        let outcome = Lock<Result<KeyDescription, Failure>?>(nil)
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                loop.spawn { [self] in
                    do throws(Failure) {
                        let key = try await open().value.describeKey(name)
                        outcome.withLock { $0 = .success(key) }
                    } catch {
                        outcome.withLock { $0 = .failure(error) }
                    }
                    continuation.resume()
                }
            }
        } onCancel: {
            stop()
        }
        guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }

    func submit(_ job: SigningJob) {
        loop.execute { [self] in open().value.submit(job) }
    }

    /// What is under way ends as cancelled, and so does what comes later.
    func stop() {
        state.withLock { $0.isStopped = true }
        loop.execute { [self] in
            let bound = state.withLock { $0.dispatcher }
            bound?.value.stop()
        }
    }

    /// The dispatcher, made when it is needed first; on the loop.
    private func open() -> LoopBound<JobDispatcher> {
        let (known, isStopped) = state.withLock { ($0.dispatcher, $0.isStopped) }
        let bound = known ?? make()
        if isStopped { bound.value.stop() }
        return bound
    }

    private func make() -> LoopBound<JobDispatcher> {
        var dispatch = DispatchSettings(channel: ChannelSettings(security: settings.security))
        dispatch.streams = settings.streams
        // Room for all jobs on half of the streams.
        dispatch.window = max(1, settings.jobs / max(1, settings.servers.count * settings.streams) * 2)
        dispatch.attempt = settings.timeout
        dispatch.retryFor = settings.retryFor
        let dispatcher = JobDispatcher(to: settings.order(settings.servers), dispatch, on: loop)
        dispatcher.whenWaiting = whenWaiting
        let bound = LoopBound(dispatcher, on: loop)
        state.withLock { $0.dispatcher = bound }
        return bound
    }
}
