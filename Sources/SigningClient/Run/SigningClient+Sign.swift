// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import GRPC
internal import Signatures
internal import SigningProtocol
public import Transport

/// Has files signed by a set of data-servers.
public struct SigningClient: Sendable {
    let settings: SigningClientSettings
    /// Where the streams to the servers live.
    let loop: EventLoop

    public init(_ settings: SigningClientSettings, on loop: EventLoop) {
        self.settings = settings
        self.loop = loop
    }

    /// Signs what the order names and tells of each file. It throws what stops the run before the first file: no
    /// server, no such key, a kind that the key does not sign. Cancelling the task stops the run: files under way are
    /// told as signed or interrupted, and of the others nothing is told.
    @discardableResult
    public func sign(
        _ order: SigningOrder, telling listener: @escaping @Sendable (SigningEvent) -> Void
    ) async throws -> SigningSummary {
        let dispatch = DispatchHandle(settings, on: loop)
        defer { dispatch.stop() }
        let check = try SignerCheck(try await dispatch.describeKey(order.key))
        if let kind = order.kind, !check.kinds.contains(kind) {
            throw SigningClientError(
                .permissionDenied, "key \(order.key) does not sign files of kind \(kind.rawValue) here")
        }
        let run = SigningRun(order, settings, check, dispatch, listener)
        return await withTaskCancellationHandler {
            await run.run()
        } onCancel: {
            run.stop()
        }
    }
}

/// The dispatcher, which lives on its loop, in the hands of other threads.
final class DispatchHandle: Sendable {
    private let loop: EventLoop
    private let settings: SigningClientSettings
    private let dispatcher = Lock<LoopBound<JobDispatcher>?>(nil)

    init(_ settings: SigningClientSettings, on loop: EventLoop) {
        self.loop = loop
        self.settings = settings
    }

    func describeKey(_ name: String) async throws -> KeyDescription {
        let outcome = Lock<Result<KeyDescription, Failure>?>(nil)
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                loop.spawn { [self] in
                    let bound = open()
                    do throws(Failure) {
                        let key = try await bound.value.describeKey(name)
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

    func stop() {
        loop.execute { [self] in
            let bound = dispatcher.withLock { $0 }
            bound?.value.stop()
        }
    }

    /// On the loop.
    private func open() -> LoopBound<JobDispatcher> {
        dispatcher.withLock { current in
            if let current { return current }
            var dispatch = DispatchSettings(channel: ChannelSettings(security: settings.security))
            dispatch.streams = settings.streams
            dispatch.window = max(1, settings.jobs / max(1, settings.servers.count * settings.streams) * 2)
            dispatch.attempt = settings.timeout
            dispatch.retryFor = settings.retryFor
            let made = LoopBound(JobDispatcher(to: settings.servers, dispatch, on: loop), on: loop)
            current = made
            return made
        }
    }
}
