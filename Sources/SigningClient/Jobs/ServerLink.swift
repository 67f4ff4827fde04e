// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import GRPC
internal import SigningProtocol
internal import Transport

/// One stream of jobs to one server: opened, kept full, and opened again after a pause when it has ended. It lives on
/// the loop of its dispatcher.
final class ServerLink {
    let server: Int
    private let signing: SigningChannel
    private let dispatcher: JobDispatcher
    private var stream: SignStream?
    private var outbox: [JobUnderWay] = []
    private var isWriting = false
    private var task: Task<Void, Never>?
    private(set) var inFlight: [UniqueID: JobUnderWay] = [:]
    private(set) var failures = 0
    /// Why the last stream could not be had or ended.
    private(set) var lastFailure: Failure?

    init(to server: Int, _ signing: SigningChannel, of dispatcher: JobDispatcher) {
        self.server = server
        self.signing = signing
        self.dispatcher = dispatcher
    }

    var isLive: Bool { stream != nil }

    func start() {
        task = dispatcher.loop.spawn(holding: self) { await $0.run() }
    }

    func stop() {
        task?.cancel()
        stream?.cancel()
    }

    func send(_ job: JobUnderWay) {
        inFlight[job.job.id] = job
        outbox.append(job)
        guard !isWriting else { return }
        isWriting = true
        dispatcher.loop.spawn(holding: self) { await $0.write() }
    }

    func forget(_ id: UniqueID) { inFlight[id] = nil }

    // MARK: The stream

    private func run() async {
        while !dispatcher.isStopped {
            do throws(Failure) {
                stream = try await signing.sign()
                dispatcher.linkIsLive()
                while let reply = try await stream?.next() {
                    (failures, lastFailure) = (0, nil)
                    dispatcher.received(reply, on: self)
                }
                lastFailure = Failure(.unavailable, "the server ended the stream")
            } catch {
                lastFailure = error
            }
            failures += 1
            stream?.cancel()
            stream = nil
            outbox = []
            let left = Array(inFlight.values)
            inFlight = [:]
            dispatcher.linkEnded(self, left)
            guard !dispatcher.isStopped else { return }
            try? await Task.sleep(for: .milliseconds(min(2000, 20 << min(failures, 7))))
        }
    }

    private func write() async {
        defer { isWriting = false }
        while !outbox.isEmpty, let stream {
            let job = outbox.removeFirst()
            // It may have been given to another server in the meantime.
            guard inFlight[job.job.id] != nil else { continue }
            // When the stream has ended, the reader gives the jobs back.
            do { try await stream.send(whole: job.job.request) } catch { return }
        }
    }
}
