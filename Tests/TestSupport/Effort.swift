// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Glibc
public import Testing

/// What work costs: of the processor, so that what else the machine does counts little, and of memory.
public enum Effort {
    /// Seconds that this thread has computed.
    public static var seconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The most that this process ever held, in bytes.
    public static var peakMemory: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
    }

    /// Does what may take a second of this thread.
    public static func soon<Result>(
        _ what: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation,
        _ work: () throws -> Result
    ) rethrows -> Result {
        let start = seconds
        defer {
            let taken = seconds - start
            if taken >= 1 { Issue.record("\(what()): \(taken) s", sourceLocation: sourceLocation) }
        }
        return try work()
    }

    /// Does what may make the process hold so many more bytes than ever before.
    public static func within<Result>(
        _ bytes: Int, sourceLocation: SourceLocation = #_sourceLocation, _ work: () throws -> Result
    ) rethrows -> Result {
        let before = peakMemory
        defer {
            let more = peakMemory - before
            if more >= bytes { Issue.record("\(more) bytes more", sourceLocation: sourceLocation) }
        }
        return try work()
    }
}
