// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a program is asked to do from outside, by a signal.
public enum ProcessSignal: Hashable, Sendable {
    /// SIGTERM or SIGINT: to end in good order.
    case end
    /// SIGHUP: to read its settings and certificates again.
    case reload

    /// Takes over SIGTERM, SIGINT and SIGHUP for the rest of the process's life, and tells of each. This or `takeEnds` is
    /// called once.
    public static func take() throws(TransportError) -> AsyncStream<ProcessSignal> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ProcessSignal.self, bufferingPolicy: .bufferingNewest(16))
        try taking([SIGTERM, SIGINT, SIGHUP]) { continuation.yield($0 == SIGHUP ? .reload : .end) }
        return stream
    }

    /// Takes over SIGTERM and SIGINT alone, for a program that ends with the status that the one which came stands for,
    /// 128 and the number.
    public static func takeEnds() throws(TransportError) -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Int32.self, bufferingPolicy: .bufferingNewest(16))
        try taking([SIGTERM, SIGINT]) { continuation.yield($0) }
        return stream
    }

    /// A handler, which runs on whatever thread the system chooses, writes the signal's number to a pipe. To block the
    /// signals and wait for them would need every thread to block them, and the runtime of Swift has started some
    /// before the first line of a program: one of those would be given the signal, and the program would end.
    private static func taking(
        _ numbers: [Int32], _ hear: @escaping @Sendable (Int32) -> Void
    ) throws(TransportError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .system("pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler never waits; what does not fit repeats what is in the pipe already.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        unsafe handlerEnd = ends[1]
        let readerEnd = ends[0]
        try Thread.detach(named: "signals") {
            var number: UInt8 = 0
            while true {
                let count = unsafe read(readerEnd, &number, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1 else { return }
                hear(Int32(number))
            }
        }
        for number in numbers {
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
    }
}

/// Set once, before the handlers that read it.
nonisolated(unsafe) private var handlerEnd: Int32 = -1
