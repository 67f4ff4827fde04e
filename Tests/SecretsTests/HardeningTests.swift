// SPDX-License-Identifier: Apache-2.0

import Secrets
import TestSupport
import Testing

@Suite struct HardeningTests {
    @Test(arguments: [["close=0"], ["close=0", "close=2"], ["uid=65534"], ["twice"], ["heap=0"], []])
    func closesTheWaysOut(_ arguments: [String]) throws {
        let output = try Probe.run(["harden"] + arguments)
        let lines = output.text.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(5) == [
                "secret 7", "core 0 0", "dumpable 0", "descriptors [true, true, true]", "handled 0",
            ])
        // Only root may still look into it.
        if arguments.contains("uid=65534") { #expect(lines.last == "mem false") }
        #expect(output.status == 0, "\(output.text)")
    }

    #if arch(x86_64)
        private static let (sigaction, prlimit, prctl, mlock, mlock2) = (13, 302, 157, 149, 325)
    #else
        private static let (sigaction, prlimit, prctl, mlock, mlock2) = (134, 261, 167, 228, 284)
    #endif
    private static let small = ["memlock=65536", "uid=65534", "pages=1048576"]

    /// One obstacle for each step, or more, and what the error says.
    private static let obstacles:
        [(arguments: [String], step: Hardening.Step, code: String, told: [String])] = [
            (
                ["close=0", "files=0"], .standardDescriptors, "process-not-hardened",
                ["descriptor 0", "Too many open"]
            ),
            (["deny=\(sigaction)"], .crashHandlers, "process-not-hardened", ["signal 6", "not permitted"]),
            (["deny=\(prlimit)"], .coreLimit, "process-not-hardened", ["RLIMIT_CORE", "LimitCORE=0"]),
            (
                ["files=3"], .coredumpFilter, "process-not-hardened",
                ["/proc/self/coredump_filter", "/proc writable"]
            ),
            (["deny=\(prctl):4"], .dumpable, "process-not-hardened", ["PR_SET_DUMPABLE"]),
            (
                small, .lockedMemory, "memory-not-locked",
                ["1064960 bytes", "is 65536 bytes", "LimitMEMLOCK=", "ulimit -l"]
            ),
            (["memlock=0", "uid=65534"], .lockedMemory, "memory-not-locked", ["is 0 bytes"]),
            (["deny=\(mlock)"], .lockedMemory, "memory-not-locked", ["32768 bytes"]),
            (["deny=\(mlock2)"], .secureHeap, "secure-heap-missing", ["were not locked", "LimitMEMLOCK="]),
            (["heap=1000"], .secureHeap, "secure-heap-missing", ["1000 bytes", "power of two"]),
            (["heap=2048"], .secureHeap, "secure-heap-missing", ["2048 bytes", "power of two"]),
        ]

    @Test(.needs(.noSanitizer), arguments: obstacles.indices)
    func eachStepFailsWithItsOwnError(_ index: Int) throws {
        let obstacle = Self.obstacles[index]
        let output = try Probe.run(["harden"] + obstacle.arguments)
        #expect(output.status == 1)
        #expect(output.text.hasPrefix("error \(obstacle.code): "))
        #expect(output.text.contains("allow the step \(obstacle.step.rawValue) in the settings"))
        for text in obstacle.told { #expect(output.text.contains(text), "\(output.text)") }
    }

    @Test(.needs(.noSanitizer), arguments: obstacles.indices)
    func eachStepCanBeAllowedByName(_ index: Int) throws {
        let obstacle = Self.obstacles[index]
        // Some obstacles stand in the way of more than one step.
        let allowed = Hardening.Step.allCases.map { "allow=\($0.rawValue)" }
        let output = try Probe.run(["harden"] + allowed + obstacle.arguments)
        #expect(
            output.text.contains("without \(obstacle.step.rawValue): \(obstacle.code)\n"), "\(output.text)")
        #expect(output.status == 0)
    }

    @Test(.needs(.noSanitizer), arguments: obstacles.indices)
    func noOtherNameHelps(_ index: Int) throws {
        let obstacle = Self.obstacles[index]
        let others = Hardening.Step.allCases.filter { $0 != obstacle.step }.map { "allow=\($0.rawValue)" }
        let output = try Probe.run(["harden"] + others + obstacle.arguments)
        #expect(output.status == 1)
        #expect(output.text.hasPrefix("error \(obstacle.code): "), "\(output.text)")
    }

    @Test(.needs(.noSanitizer)) func secretsLiveWithoutLockedMemoryWhenThatIsAllowed() throws {
        let output = try Probe.run(["harden", "allow=locked-memory", "memlock=0", "uid=65534"])
        #expect(output.status == 0, "\(output.text)")
        #expect(output.text.contains("secret 7\n"))
    }

    @Test func filtersComeBeforeDumpable() {
        let order = Hardening.Step.allCases.map(\.rawValue)
        #expect(
            order == [
                "standard-descriptors", "crash-handlers", "core-limit", "coredump-filter", "dumpable",
                "locked-memory", "secure-heap",
            ])
    }
}
