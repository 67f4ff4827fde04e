// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a program is asked to do from outside, by a signal.
public enum ProcessSignal: Hashable, Sendable {
    /// SIGTERM or SIGINT: to end in good order.
    case end
    /// SIGHUP: to read its settings and certificates again.
    case reload

    /// Takes over SIGTERM, SIGINT and SIGHUP for the rest of the process's life, and tells of each. Called once, before
    /// anything has started a thread, since threads that exist already would be ended by them as before.
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

    private static func taking(
        _ numbers: [Int32], _ hear: @escaping @Sendable (Int32) -> Void
    ) throws(TransportError) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in numbers { unsafe sigaddset(&signals, number) }
        let result = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        guard result == 0 else { throw .system("pthread_sigmask", result) }
        let taken = signals
        try Thread.detach(named: "signals") {
            var taken = taken
            while true {
                var number: Int32 = 0
                guard unsafe sigwait(&taken, &number) == 0 else { continue }
                hear(number)
            }
        }
    }
}
