// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a program is asked to do from outside, by a signal.
public enum ProcessSignal: Hashable, Sendable {
    /// SIGTERM or SIGINT: to end in good order.
    case end
    /// SIGHUP: to read its settings and certificates again.
    case reload

    /// Takes over SIGTERM, SIGINT and SIGHUP for the rest of the process's life, and tells of each. Called once.
    ///
    /// A handler, which runs on whatever thread the system chooses, writes the signal's number to a pipe. Blocking the
    /// signals and waiting for them would need to be done before there is a second thread, and the runtime of Swift
    /// starts some before the first line of a program.
    public static func take() throws(TransportError) -> AsyncStream<ProcessSignal> {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .system("pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler never waits; what does not fit repeats what is in the pipe already.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        unsafe handlerEnd = ends[1]
        let (stream, continuation) = AsyncStream.makeStream(
            of: ProcessSignal.self, bufferingPolicy: .bufferingNewest(16))
        let readerEnd = ends[0]
        try Thread.detach(named: "signals") {
            var number: UInt8 = 0
            while true {
                let count = unsafe read(readerEnd, &number, 1)
                guard count == 1 else {
                    if count < 0, errno == EINTR { continue }
                    return
                }
                continuation.yield(Int32(number) == SIGHUP ? .reload : .end)
            }
        }
        for number in [SIGTERM, SIGINT, SIGHUP] {
            var action = sigaction()
            action.sa_flags = SA_RESTART
            unsafe sigemptyset(&action.sa_mask)
            unsafe action.__sigaction_handler.sa_handler = { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = unsafe write(handlerEnd, &byte, 1)
                errno = before
            }
            guard unsafe sigaction(number, &action, nil) == 0 else { throw .system("sigaction", errno) }
        }
        return stream
    }
}

/// Set once, before the handlers that read it.
nonisolated(unsafe) private var handlerEnd: Int32 = -1
