// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// The way of the log lines out of the program: a bounded queue and one thread that writes.
///
/// A line that finds the queue full is dropped. The number of those is written as a line of its own as soon as there
/// is room, and counted in `dropped`.
public final class LogSink: Sendable {
    public let program: StaticString
    public let form: LogForm
    let clock: @Sendable () -> WallTime
    private let queue: LogQueue
    private let leastLevel: Atomic<UInt8>

    /// Lines go to `descriptor`, which stays the caller's; `capacity` bytes may wait.
    public init(
        program: StaticString, descriptor: Int32 = 2, form: LogForm? = nil, level: LogLevel = .info,
        capacity: Int = 1 << 20, clock: @escaping @Sendable () -> WallTime = WallTime.now
    ) throws(DiagnosticsError) {
        self.program = program
        let form = form ?? (isatty(descriptor) == 1 ? .pretty(colours: Self.coloursWanted) : .json)
        self.form = form
        self.clock = clock
        leastLevel = Atomic(level.rawValue)
        queue = LogQueue(descriptor: descriptor, capacity: capacity) { count in
            LogRecord(
                time: clock(), level: .warning, program: program, message: "log lines were dropped",
                attributes: [("count", .integer(count))]
            ).line(form)
        }
        try queue.start()
    }

    deinit { queue.close() }

    /// Lines below it are not made. It may be changed while the program runs.
    public var level: LogLevel {
        get { LogLevel(rawValue: leastLevel.load(ordering: .relaxed)) ?? .info }
        set { leastLevel.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// How many lines were dropped since the start, because the queue was full or the descriptor refused them.
    public var dropped: UInt64 { queue.dropped }

    /// Waits until everything that was logged before has been written, at most `timeout`. A program calls it before
    /// it ends.
    @available(*, noasync, message: "it blocks the thread")
    @discardableResult
    public func flush(within timeout: Duration) -> Bool { queue.flush(within: timeout) }

    func write(_ record: LogRecord) { queue.append(record.line(form)) }

    private static var coloursWanted: Bool {
        // As no-color.org asks for: set and not empty.
        guard let value = unsafe getenv("NO_COLOR") else { return true }
        return unsafe value.pointee == 0
    }
}
