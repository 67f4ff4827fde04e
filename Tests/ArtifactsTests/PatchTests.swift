// SPDX-License-Identifier: Apache-2.0

internal import CLinux
import Diagnostics
import Foundation
import Glibc
import SampleFiles
import TestSupport
import Testing

@testable import Artifacts

@Suite struct PatchTests {
    static let signature = [UInt8](repeating: 0x55, count: 500)

    /// A folder with one module in it.
    struct Place {
        let folder: TemporaryFolder
        let path: String
        let module: [UInt8]

        init(_ count: Int = 5000) throws {
            folder = try TemporaryFolder()
            module = SampleModule.bytes(payload: count)
            path = try folder.write("a.ko", module, mode: 0o640)
        }

        var content: [UInt8] { get throws { try folder.read("a.ko") } }
        var signed: [UInt8] { module + ModuleTrailer.append(PatchTests.signature) }
        func patch() throws -> Patch { try Artifact(reading: path).patch(embedding: PatchTests.signature) }
        /// What else is in the folder.
        var others: [String] {
            get throws {
                try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "a.ko" }
            }
        }
    }

    @Test func keepsModeOwnerTimesAndAttributes() throws {
        let place = try Place()
        try Command.check(["touch", "-d", "2020-02-02 02:02:02.123456789 UTC", place.path])
        try Command.check(["chmod", "4751", place.path])
        if Power.root.isThere { try Command.check(["chown", "12345:54321", place.path]) }
        let hasAttributes = unsafe setxattr(place.path, "user.origin", "here", 4, 0) == 0
        let format = ["stat", "-c", "%a %u %g %y %h", place.path]
        if Power.root.isThere { try Command.check(["chmod", "4751", place.path]) }
        let before = try Command.check(format).text
        try place.patch().apply()
        #expect(try place.content == place.signed)
        #expect(try Command.check(format).text == before)
        if hasAttributes {
            var value = [UInt8](repeating: 0, count: 10)
            #expect(unsafe getxattr(place.path, "user.origin", &value, 10) == 4)
        }
        #expect(try place.others.isEmpty)
    }

    @Test func signsBehindALinkAndLeavesTheLink() throws {
        let place = try Place()
        let link = place.folder.path + "/link.ko"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "a.ko")
        try Artifact(reading: link).patch(embedding: Self.signature).apply()
        #expect(try place.content == place.signed)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "a.ko")
    }

    /// Of two names only the one that was given names the signed file.
    @Test func leavesOtherNamesOfTheFile() throws {
        let place = try Place()
        try FileManager.default.linkItem(atPath: place.path, toPath: place.folder.path + "/other.ko")
        try place.patch().apply()
        #expect(try place.content == place.signed)
        #expect(try place.folder.read("other.ko") == place.module)
    }

    @Test(arguments: ["folder", "fifo", "missing"])
    func refusesWhatIsNoFile(_ what: String) throws {
        let folder = try TemporaryFolder()
        if what == "fifo" { #expect(unsafe mkfifo(folder.path + "/fifo", 0o600) == 0) }
        let path = what == "folder" ? folder.path : folder.path + "/" + what
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
        #expect(error?.code.id == (what == "missing" ? "not-found" : "artifact-unrecognised"))
    }

    // MARK: Others at work

    @Test(arguments: ["content", "length", "replaced", "mode", "gone"])
    func findsAChangedFile(_ change: String) throws {
        let place = try Place()
        let patch = try place.patch()
        switch change {
        case "content": try Command.check(["sh", "-c", "printf x | dd of=\"$0\" conv=notrunc", place.path])
        case "length": try Command.check(["sh", "-c", "printf x >> \"$0\"", place.path])
        case "replaced":
            try place.folder.write("new", place.module)
            try Command.check(["mv", place.folder.path + "/new", place.path])
        case "mode": try Command.check(["chmod", "600", place.path])
        default: try Command.check(["rm", place.path])
        }
        let before = try? place.content
        let error = #expect(throws: ArtifactError.self) { try patch.apply() }
        #expect(error?.code.id == (change == "gone" ? "not-found" : "artifact-changed"))
        #expect((try? place.content) == before)
        #expect(try place.others.isEmpty)
    }

    @Test func findsAFileThatChangesBeforeThePatchIsMade() throws {
        let place = try Place()
        let artifact = try Artifact(reading: place.path)
        try place.folder.write("a.ko", place.module + [0])
        let error = #expect(throws: ArtifactError.self) { try artifact.patch(embedding: Self.signature) }
        #expect(error?.code.id == "artifact-changed")
    }

    @Test func waitsForTheLockOfAnotherWriter() throws {
        let place = try Place()
        let patch = try place.patch()
        let file = unsafe open(place.path, O_RDONLY | O_CLOEXEC)
        #expect(flock(file, LOCK_EX) == 0)
        let error = #expect(throws: ArtifactError.self) { try patch.apply(patience: .milliseconds(20)) }
        #expect(error?.code.id == "artifact-busy")
        #expect(try place.content == place.module)
        close(file)
        try patch.apply()
        #expect(try place.content == place.signed)
    }

    /// Many writers with one patch: one wins, the others see a changed file, and the file is whole.
    @Test func letsOneOfManyWritersWin() throws {
        let place = try Place(300_000)
        let patch = try place.patch()
        let outcomes = Lock<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let outcome: String
            do throws(ArtifactError) {
                try patch.apply()
                outcome = "done"
            } catch {
                outcome = error.code.id
            }
            outcomes.withLock { $0.append(outcome) }
        }
        let counts = outcomes.withLock { Dictionary(grouping: $0) { $0 }.mapValues(\.count) }
        #expect(counts == ["done": 1, "artifact-changed": 7])
        #expect(try place.content == place.signed)
        #expect(try place.others.isEmpty)
    }

    /// Two writers on a file system without locks: both are done or see a change, and the file is whole.
    @Test func letsWritersMeetWithoutLocks() throws {
        for _ in 0..<Trials.count(5, full: 200) {
            let place = try Place(100_000)
            let patch = try place.patch()
            let outcomes = Lock<[String]>([])
            let writer = PatchWriter(
                FileAbilities(hasNamelessFiles: false, hasLocks: false, exchangesNames: false))
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                let outcome = Self.code { () throws(ArtifactError) in try writer.apply(patch) }
                outcomes.withLock { $0.append(outcome) }
            }
            #expect(Set(outcomes.withLock { $0 }).isSubset(of: ["done", "artifact-changed"]))
            #expect(outcomes.withLock { $0 }.contains("done"))
            #expect(try place.content == place.signed)
            #expect(try place.others.isEmpty)
        }
    }

    private static func code(_ body: () throws(ArtifactError) -> Void) -> String {
        do throws(ArtifactError) {
            try body()
            return "done"
        } catch {
            return error.code.id
        }
    }

    // MARK: Drafts

    static let abilities: [FileAbilities] = [true, false].flatMap { nameless in
        [true, false].map { FileAbilities(hasNamelessFiles: nameless, exchangesNames: $0) }
    }

    @Test(arguments: abilities) func writesOnEveryFileSystem(_ abilities: FileAbilities) throws {
        let place = try Place()
        let writer = PatchWriter(abilities)
        try writer.apply(place.patch())
        #expect(try place.content == place.signed)
        #expect(try place.others.isEmpty)
        try writer.apply(#require(try Artifact.patch(stripping: place.path)))
        #expect(try place.content == place.module)
        #expect(try place.others.isEmpty)
    }

    /// What somebody put in the place of a draft is neither taken for the file nor removed.
    @Test func leavesWhatIsInThePlaceOfItsDraft() throws {
        let place = try Place()
        let file = try SourceFile(place.path)
        let folder = try Folder(of: file)
        do {
            var draft = try NewFile(in: folder, for: "a.ko", FileAbilities(hasNamelessFiles: false))
            let name = try #require(try place.others.first)
            try place.folder.write("strange", "not yours")
            try Command.check(["mv", "\(place.folder.path)/strange", "\(place.folder.path)/\(name)"])
            let outcome = Self.code { () throws(ArtifactError) in try draft.takeName(over: file.snapshot) }
            #expect(outcome == "artifact-changed")
        }
        #expect(try place.content == place.module)
        let left = try #require(try place.others.first)
        #expect(try place.folder.read(left) == Array("not yours".utf8))
    }

    /// Somebody's new file of that name stays, however late he came.
    @Test(arguments: abilities) func neverTakesTheNameOfAnotherFile(_ abilities: FileAbilities) throws {
        let place = try Place()
        let file = try SourceFile(place.path)
        let folder = try Folder(of: file)
        do {
            var draft = try NewFile(in: folder, for: "a.ko", abilities)
            try place.folder.write("newer", "rebuilt")
            try Command.check(["mv", "\(place.folder.path)/newer", place.path])
            let outcome = Self.code { () throws(ArtifactError) in try draft.takeName(over: file.snapshot) }
            #expect(outcome == "artifact-changed")
            var other = try NewFile(in: folder, for: "a.ko", abilities)
            let second = Self.code { () throws(ArtifactError) in try other.takeFreeName() }
            #expect(second == "artifact-changed")
        }
        #expect(try place.content == Array("rebuilt".utf8))
        #expect(try place.others.isEmpty)
    }

    /// Hidden files of the dead go; those that somebody holds, and what only looks alike, stay.
    @Test func sweepsWhatTheDeadLeft() throws {
        let place = try Place()
        try place.folder.write(".signet-0000000000000001", "dead")
        let held = try place.folder.write(".signet-0000000000000002", "at work")
        try place.folder.write(".signpost", "no draft")
        let file = unsafe open(held, O_RDONLY | O_CLOEXEC)
        #expect(flock(file, LOCK_EX) == 0)
        try PatchWriter().recover(folderOf: place.path)
        #expect(try Set(place.others) == [".signet-0000000000000002", ".signpost"])
        close(file)
        try PatchWriter().recover(folderOf: place.path)
        #expect(try place.others == [".signpost"])
    }

    // MARK: Things that break

    /// The folder cannot be synced after the file has its new name: that is not told as if nothing had happened.
    @Test(.needs(.program("strace")))
    func tellsTheTruthWhenTheFolderCannotBeSynced() throws {
        let place = try Place()
        let output = try Command.run([
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
            "inject=fsync:error=EIO:when=2",
            Products.path("artifact-probe"), "once", place.path, "500",
        ])
        #expect(output.text == "artifact-unsettled\n", "\(output.errorText)")
        #expect(try place.content == place.signed)
        let whole = try Command.run([
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
            "inject=fsync:error=EIO:when=1",
            Products.path("artifact-probe"), "once", place.path, "501",
        ])
        #expect(whole.text == "artifact-unwritable\n", "\(whole.errorText)")
        #expect(try place.content == place.signed)
        #expect(try place.others.isEmpty)
    }

    /// Somebody who may not write to the folder, and somebody who may but cannot give a file to its owner.
    @Test(.needs(.otherUsers), arguments: ["0755", "0777"])
    func leavesTheOriginalToWhoMayNotReplaceIt(_ mode: String) throws {
        let place = try Place()
        // The folder of the tests is closed to others.
        let open = try Command.check(["mktemp", "-d", "/tmp/signet.XXXXXX"]).text.filter { $0 != "\n" }
        defer { try? FileManager.default.removeItem(atPath: open) }
        try Command.check(["cp", place.path, open + "/a.ko"])
        try Command.check(["cp", Products.path("artifact-probe"), open + "/probe"])
        try Command.check(["chmod", "0644", open + "/a.ko"])
        try Command.check(["chmod", mode, open])
        let output = try Command.run([
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", open + "/probe", "once",
            open + "/a.ko", "500",
        ])
        #expect(output.text == "artifact-unwritable\n", "\(output.errorText)")
        #expect(try Command.run(["cmp", open + "/a.ko", place.path]).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: open).sorted() == ["a.ko", "probe"])
    }

    @Test func leavesTheOriginalWhenFilesMayNotGrow() throws {
        let place = try Place(100_000)
        let output = try Command.run([
            "sh", "-c", "trap '' XFSZ; ulimit -f 20; exec \"$0\" once \"$1\" 500",
            Products.path("artifact-probe"),
            place.path,
        ])
        #expect(output.text == "artifact-unwritable\n", "\(output.errorText)")
        #expect(try place.content == place.module)
        #expect(try place.others.isEmpty)
    }

    @Test(.needs(.mounts)) func leavesTheOriginalOnAFullDisk() throws {
        let place = try Place(100_000)
        let script = """
            set -e
            mount -t tmpfs -o size=150k none "$1"
            cp "$2" "$1/a.ko"
            "$0" once "$1/a.ko" 500 || true
            cmp "$2" "$1/a.ko" && ls -A "$1"
            """
        let disk = try TemporaryFolder()
        let output = try Command.check([
            "unshare", "--mount", "sh", "-c", script, Products.path("artifact-probe"), disk.path, place.path,
        ])
        #expect(output.text == "artifact-unwritable\na.ko\n")
    }

    /// Killed at any moment: the file is the old one or the new one, and the next writer clears what was left.
    @Test func survivesBeingKilled() throws {
        let place = try Place(200_000)
        var generator = Trials.generator("kill")
        var seen = Set<Int>()
        for _ in 0..<Trials.count(15, full: 500) {
            let writer = try Companion([Products.path("artifact-probe"), "loop", place.path, "500"])
            #expect(writer.readLine() == "ready")
            usleep(UInt32.random(in: 0...20_000, using: &generator))
            writer.end()
            let content = try place.content
            #expect(content == place.module || content == place.signed)
            seen.insert(content.count)
        }
        let output = try Command.check([Products.path("artifact-probe"), "once", place.path, "500"])
        #expect(output.text == "done\n")
        #expect(try place.content == place.signed)
        #expect(try place.others.isEmpty)
    }
}
