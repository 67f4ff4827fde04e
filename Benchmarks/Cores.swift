// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Work on chosen cores, timed so that other programs on the same cores do not count.
enum Cores {
    /// The last core that this process may use.
    static let last: Int = {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") } ?? ""
        return line.split { !$0.isNumber }.last.flatMap { Int($0) } ?? 0
    }()

    /// What a second is.
    enum Clock: Sendable {
        /// The thread's own user time, as `openssl speed` has it.
        case user
        /// All of the thread's time on a core: its own and what the system did for it.
        case processor
        /// The time that passes, less the time in which the thread was ready to run and had no core. Waiting for
        /// another thread counts.
        case passing
    }

    /// How often a second `work` runs on a thread of its own, which calls it again and again for `seconds`; the sum
    /// over as many threads as there are cores in the list, where `nil` lets the system choose.
    static func rate(
        _ clock: Clock, on cores: [Int?], seconds: Double, _ work: @escaping @Sendable () -> Void
    ) -> Double {
        let results = Results(count: cores.count)
        let threads = cores.enumerated().map { index, core in
            Thread {
                if let core { pin(to: core) }
                results.set(index, measure(clock, seconds, work))
            }
        }
        for thread in threads { thread.start() }
        return results.wait().reduce(0, +)
    }

    private static func measure(_ clock: Clock, _ seconds: Double, _ work: () -> Void) -> Double {
        work()
        let end = ContinuousClock.now + .seconds(seconds)
        let start = now(clock)
        var count = 0
        repeat {
            work()
            count += 1
        } while ContinuousClock.now < end
        return Double(count) / (now(clock) - start)
    }

    private static func now(_ clock: Clock) -> Double {
        switch clock {
        case .user:
            var usage = rusage()
            let thread: Int32 = 1  // RUSAGE_THREAD, which the importer does not see
            unsafe getrusage(thread, &usage)
            return Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        case .processor:
            var time = timespec()
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        case .passing:
            // Time on a core and time in the queue for one, in nanoseconds.
            let text = (try? String(contentsOfFile: "/proc/thread-self/schedstat", encoding: .utf8)) ?? ""
            let fields = text.split(separator: " ")
            let queued = fields.count > 1 ? (Double(fields[1]) ?? 0) / 1e9 : 0
            return (ContinuousClock.now - began) / .seconds(1) - queued
        }
    }

    /// All time on cores of all threads of another process, in seconds.
    static func time(of process: Int32) -> Double {
        let folder = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let text = (try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)) ?? ""
            return sum + (Double(text.split(separator: " ").first ?? "") ?? 0) / 1e9
        }
    }

    private static let began = ContinuousClock.now

    private static func pin(to core: Int) {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
        guard let thread = path.split(separator: "/").last else { return }
        _ = try? output(["taskset", "-cp", "\(core)", String(thread)])
    }

    /// What a program printed.
    static func output(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    /// Numbers that threads hand over, and a way to wait for all of them.
    private final class Results: @unchecked Sendable {
        private let condition = NSCondition()
        private var values: [Double?]

        init(count: Int) { values = Array(repeating: nil, count: count) }

        func set(_ index: Int, _ value: Double) {
            condition.lock()
            values[index] = value
            condition.broadcast()
            condition.unlock()
        }

        func wait() -> [Double] {
            condition.lock()
            defer { condition.unlock() }
            while values.contains(nil) { condition.wait() }
            return values.compactMap { $0 }
        }
    }
}
