// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What stands in a process's memory, counted by the process itself.
@Suite struct MemoryTests {
    @Test(.needs(.noSanitizer)) func aSecretIsFoundWhileItLivesAndNowhereAfterwards() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("secret", Probe.canary + [0x0a])
        let output = try Probe.run(["scan", Probe.masked, file])
        #expect(
            output.text.split(separator: "\n") == [
                "before 0",
                "pages.alive 1", "pages.copied 2", "pages.released 0", "pages.thrown 0",
                "arena.alive 1", "arena.released 0", "arena.thrown 0",
                "arena.alive 1", "arena.shared.released 0",
                "file.alive 1", "file.count 33", "file.released 0",
                "pages.alive 1", "pages.copied 2", "hardened.released 0",
                "fork.parent 1", "fork.child 0",
                "heap.alive 1",
            ])
        #expect(output.status == 0, "\(output.errorText)")
    }
}

/// What a crash leaves behind: on stderr and in a core file.
@Suite struct CrashTests {
    private func crash(_ kind: String, hardened: Bool, _ folder: TemporaryFolder) throws -> Command.Output {
        try Probe.run(
            ["crash", Probe.masked, kind, hardened ? "hardened" : "plain"],
            environment: ["SWIFT_BACKTRACE": "enable=yes,color=no"], folder: folder.path)
    }

    private func cores(_ folder: TemporaryFolder) throws -> [[UInt8]] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("core") }
            .map { try folder.read($0) }
    }

    /// The canary's beginning as bytes, in a register, doubled by an addition, and in a dump of memory.
    private func traces(_ text: String) -> [String] {
        let word = Probe.canary[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let spaced = Probe.canary[..<4].map(Probe.hex).joined(separator: " ")
        // The addition's last byte is overwritten by its carry.
        let doubled = String(String(word &+ word, radix: 16).dropLast(2))
        return ["ANARY", String(word, radix: 16), doubled, spaced].filter {
            text.contains($0)
        }
    }

    @Test(
        arguments: [("trap", [4, 5]), ("segv", [11]), ("pointer", [11]), ("abort", [6])]
            as [(String, [Int32])])
    func aHardenedProcessDiesSilently(_ kind: String, _ signals: [Int32]) throws {
        let folder = try TemporaryFolder()
        let output = try crash(kind, hardened: true, folder)
        #expect(signals.contains(-output.status) || signals.contains(output.status - 128))
        #expect(output.text == "")
        #expect(traces(output.errorText).isEmpty && output.errorText == "")
        #expect(try cores(folder).isEmpty)
    }

    /// Without this the tests above would pass whatever happened.
    @Test(
        .needs(.noSanitizer),
        arguments: ["trap", "segv", "pointer"])
    func anOrdinaryOneTellsTheSecret(_ kind: String) throws {
        let output = try crash(kind, hardened: false, TemporaryFolder())
        #expect(!traces(output.errorText).isEmpty, "\(output.errorText)")
    }

    /// Where the system writes core files into the folder, secret pages are not in them even without hardening.
    @Test func secretPagesAreInNoCoreFile() throws {
        let folder = try TemporaryFolder()
        _ = try crash("abort", hardened: false, folder)
        for core in try cores(folder) {
            #expect(Data(core).range(of: Data(Probe.canary)) == nil)
        }
    }
}
