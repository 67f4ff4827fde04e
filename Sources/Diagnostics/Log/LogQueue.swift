// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The bytes on their way to one descriptor, and the thread that writes them.
///
/// Those who append never wait for the reader: the lock is held for the length of a copy.
final class LogQueue: Sendable {
    private struct State {
        var pending: [UInt8] = []
        /// Bytes taken into the queue and bytes done with, since the start.
        var accepted: UInt64 = 0
        var finished: UInt64 = 0
        var dropped: UInt64 = 0
        var unreported: UInt64 = 0
        var closed = false
    }

    private let descriptor: Int32
    private let capacity: Int
    private let report: @Sendable (UInt64) -> [UInt8]
    private let state = Lock(State())

    /// `report` makes the line that tells how many were dropped.
    init(descriptor: Int32, capacity: Int, report: @escaping @Sendable (UInt64) -> [UInt8]) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.report = report
    }

    func start() throws(DiagnosticsError) {
        var thread = pthread_t()
        let own = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<LogQueue>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, own.toOpaque())
        guard result == 0 else {
            unsafe own.release()
            throw DiagnosticsError(
                code: .unavailable, message: "the log's thread could not be started (error \(result))")
        }
        pthread_detach(thread)
    }

    func append(_ line: [UInt8]) {
        let wasEmpty = state.withLock { state in
            guard state.pending.count + line.count <= capacity else {
                state.dropped += 1
                state.unreported += 1
                return false
            }
            defer {
                state.pending += line
                state.accepted += UInt64(line.count)
            }
            return state.pending.isEmpty
        }
        if wasEmpty { state.wakeAll() }
    }

    var dropped: UInt64 { state.withLock { $0.dropped } }

    @available(*, noasync)
    func flush(within timeout: Duration) -> Bool {
        let goal = state.withLock { $0.accepted }
        return state.withLock(when: { $0.finished >= goal }, within: timeout) { _ in true } ?? false
    }

    /// Lets the thread end when it has written what is left.
    func close() {
        state.withLock { $0.closed = true }
        state.wakeAll()
    }

    // MARK: The thread

    private func run() {
        // A reader that went away raises SIGPIPE in the thread that writes.
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
        while let batch = next() { deliver(batch.bytes, dropped: batch.dropped) }
    }

    private func next() -> (bytes: [UInt8], dropped: UInt64)? {
        let batch = state.withLock(when: { !$0.pending.isEmpty || $0.closed }) { state in
            var bytes: [UInt8] = []
            swap(&bytes, &state.pending)
            defer { state.unreported = 0 }
            return (bytes: bytes, dropped: state.unreported)
        }
        guard let batch, !batch.bytes.isEmpty else { return nil }
        return batch
    }

    private func deliver(_ bytes: [UInt8], dropped: UInt64) {
        let lost = linesLost(writing: bytes)
        var unreported = lost
        if dropped > 0, linesLost(writing: report(dropped)) > 0 { unreported += dropped }
        state.withLock { state in
            state.finished += UInt64(bytes.count)
            state.dropped += lost
            state.unreported += unreported
        }
        state.wakeAll()
    }

    /// How many lines the descriptor refused.
    private func linesLost(writing bytes: [UInt8]) -> UInt64 {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe write(descriptor, $0.baseAddress?.advanced(by: start), bytes.count - start)
            }
            if count >= 0 {
                start += count
            } else if errno == EAGAIN {
                // Somebody who shares the descriptor made it non-blocking.
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&wait, 1, -1)
            } else if errno != EINTR {
                return UInt64(bytes[start...].count { $0 == UInt8(ascii: "\n") })
            }
        }
        return 0
    }
}
