// SPDX-License-Identifier: Apache-2.0

internal import CLinux
import Diagnostics
import Foundation
import Glibc
import SampleFiles
import TestSupport
import Testing

@testable import Artifacts

/// Changes of a package where it lies, and what is left when they break off.
@Suite(.needs(.program("rpmsign"))) struct InPlaceTests {
    /// A folder with one package, and a signature of it.
    struct Place {
        let folder: TemporaryFolder
        let path: String
        let packet: String
        let unsigned: [UInt8]
        let signed: [UInt8]

        init(_ count: Int = 5000) throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(
                atPath: folder.path + "/p", withIntermediateDirectories: false)
            var sample = SampleRPM()
            sample.payload = .noise(count: count, seed: 5)
            unsigned = sample.bytes
            path = try folder.write("p/a.rpm", unsigned, mode: 0o640)
            let signature = try GPGKeys.shared().sign(sample.mainHeader, .rsa)
            packet = try folder.write("packet", signature)
            let copy = try folder.write("copy.rpm", unsigned)
            try Artifact(reading: copy).patch(embedding: signature).apply()
            signed = try folder.read("copy.rpm")
        }

        var content: [UInt8] { get throws { try folder.read("p/a.rpm") } }
        var signature: [UInt8] { get throws { try folder.read("packet") } }
        func patch() throws -> Patch { try Artifact(reading: path).patch(embedding: signature) }
        var others: [String] {
            get throws {
                try FileManager.default.contentsOfDirectory(atPath: folder.path + "/p").filter {
                    $0 != "a.rpm"
                }
            }
        }

        /// Ends a writer at that moment.
        func die(_ moment: WritingMoment) throws {
            let output = try Command.run([
                Products.path("artifact-probe"), moment.rawValue, path, packet,
            ])
            #expect(output.status != 0 && output.text.isEmpty, "\(output.text)\(output.errorText)")
            #expect(try others.count == 1)
        }
    }

    @Test func keepsAllButTheSignature() throws {
        let place = try Place()
        try Command.check(["touch", "-d", "2020-02-02 02:02:02.123456789 UTC", place.path])
        if Power.root.isThere { try Command.check(["chown", "12345:54321", place.path]) }
        let hasAttributes = unsafe setxattr(place.path, "user.origin", "here", 4, 0) == 0
        let format = ["stat", "-c", "%a %u %g %y %h %i", place.path]
        let before = try Command.check(format).text
        try PatchWriter(inPlace: true).apply(place.patch())
        #expect(try place.content == place.signed)
        #expect(try Command.check(format).text == before)
        if hasAttributes {
            var value = [UInt8](repeating: 0, count: 10)
            #expect(unsafe getxattr(place.path, "user.origin", &value, 10) == 4)
        }
        #expect(try place.others.isEmpty)
    }

    /// A few KiB, whatever the size of the package.
    @Test func writesLittle() throws {
        let place = try Place(3 << 20)
        var paths: [String] = []
        for number in 0..<5 { paths.append(try place.folder.write("p/\(number).rpm", place.unsigned)) }
        let output = try Command.check(
            [Products.path("artifact-probe"), "count", place.path, place.packet] + paths)
        let count = try #require(Int(output.text.filter(\.isNumber)))
        #expect((400..<8192).contains(count), "\(count) bytes a package")
        print("bytes written a package: \(count)")
        #expect(try place.folder.read("p/4.rpm") == place.signed)
    }

    static let reasons = ["second name", "read only", "attribute", "set user", "no locks"]

    /// Where a change in place would change more than the signature, or is not possible, the file is written anew.
    @Test(arguments: reasons) func writesAnewWhereItHasTo(_ reason: String) throws {
        let place = try Place()
        var abilities = FileAbilities()
        switch reason {
        case "second name":
            try FileManager.default.linkItem(atPath: place.path, toPath: place.folder.path + "/other.rpm")
        case "read only": try Command.check(["chmod", "0440", place.path])
        case "attribute":
            guard unsafe setxattr(place.path, "security.ima", "x", 1, 0) == 0 else { return }
        case "set user": try Command.check(["chmod", "4755", place.path])
        default: abilities.hasLocks = false
        }
        let before = try Command.check(["stat", "-c", "%i", place.path]).text
        try PatchWriter(abilities, inPlace: true).apply(place.patch())
        #expect(try place.content == place.signed)
        let isSame = try Command.check(["stat", "-c", "%i", place.path]).text == before
        // Root writes to what is read only.
        #expect(isSame == (reason == "read only" && Power.root.isThere))
        if reason == "second name" { #expect(try place.folder.read("other.rpm") == place.unsigned) }
        #expect(try place.others.isEmpty)
    }

    // MARK: Crashes

    /// Killed at each moment: the next writer finds the old file or the new one.
    @Test(arguments: WritingMoment.allCases) func survivesTheEndAt(_ moment: WritingMoment) throws {
        let place = try Place()
        try Command.check(["touch", "-d", "2020-02-02 02:02:02.123456789 UTC", place.path])
        let time = try Command.check(["stat", "-c", "%y", place.path]).text
        try place.die(moment)
        let left = try place.content
        switch moment {
        case .protected: #expect(left == place.unsigned)
        case .partlyWritten: #expect(left != place.unsigned && left != place.signed)
        case .written, .settled: #expect(left == place.signed)
        }
        try PatchWriter().recover(folderOf: place.path)
        let isUndone = moment == .protected || moment == .partlyWritten
        #expect(try place.content == (isUndone ? place.unsigned : place.signed))
        #expect(try Command.check(["stat", "-c", "%y", place.path]).text == time)
        #expect(try place.others.isEmpty)
        try PatchWriter(inPlace: true).apply(
            Artifact(reading: place.path).patch(embedding: place.signature))
        #expect(try place.content == place.signed)
    }

    /// The power goes: of what was being written, any part may be on the disk.
    @Test func takesBackEveryMixture() throws {
        let place = try Place()
        var generator = Trials.generator("torn")
        try place.die(.protected)
        let journal = try #require(try place.others.first)
        let kept = try place.folder.read("p/" + journal)
        for number in 0..<Trials.count(40, full: 2000) {
            var torn = place.unsigned
            let unit = [1, 16, 512][number % 3]
            for start in stride(from: 0, to: 4608, by: unit) where Bool.random(using: &generator) {
                for index in start..<min(start + unit, torn.count) { torn[index] = place.signed[index] }
            }
            try place.folder.write("p/a.rpm", torn)
            try place.folder.write("p/" + journal, kept)
            try PatchWriter().recover(folderOf: place.path)
            #expect(try place.content == (torn == place.signed ? place.signed : place.unsigned))
            #expect(try place.others.isEmpty)
        }
    }

    static let strange = [
        "journal cut off", "journal changed", "others may write", "file changed", "file gone", "file grown",
    ]

    /// What is not surely a journal of this user and this file undoes nothing.
    @Test(arguments: strange) func leavesAloneWhatIsNotItsOwn(_ what: String) throws {
        let place = try Place()
        try place.die(.partlyWritten)
        let name = try #require(try place.others.first)
        let journal = place.folder.path + "/p/" + name
        var torn = try place.content
        var bytes = try place.folder.read("p/" + name)
        switch what {
        case "journal cut off": try place.folder.write("p/" + name, Array(bytes.prefix(200)))
        case "journal changed":
            bytes[300] ^= 1
            try place.folder.write("p/" + name, bytes)
        case "others may write": try Command.check(["chmod", "0602", journal])
        case "file changed":
            torn[109] = 0xee
            try place.folder.write("p/a.rpm", torn)
        case "file grown":
            torn.append(0)
            try place.folder.write("p/a.rpm", torn)
        default: try Command.check(["rm", place.path])
        }
        try place.folder.write("p/b.rpm", "")
        try PatchWriter().recover(folderOf: place.folder.path + "/p/b.rpm")
        #expect(try what == "file gone" || place.content == torn)
        #expect(try place.others.contains(name) == (what == "others may write"))
    }

    /// Whatever stands in a journal: names lead out of the folder nowhere, and nothing of it stops the program.
    @Test func readsJournalsStrictly() throws {
        let entry = UndoEntry(
            name: "a", size: 10, times: [1, 2, -3, 4],
            segments: [UndoEntry.Segment(place: 3, old: [1, 2], new: [3, 4])])
        let journal = UndoEntry.journal(of: [entry.encoded, entry.encoded])
        #expect(UndoEntry.entries(of: journal) == [entry, entry])
        #expect(UndoEntry.entries(of: journal + [1, 2, 3]) == [entry, entry])
        for count in 0..<journal.count { #expect(UndoEntry.entries(of: Array(journal.prefix(count))) == nil) }
        for index in journal.indices {
            var changed = journal
            changed[index] ^= 0x40
            #expect(UndoEntry.entries(of: changed) == nil)
        }
        for name in ["", ".", "..", "../a", "/a", "a/b", "a\0"] {
            var bad = entry
            bad.name = name
            #expect(UndoEntry.entries(of: UndoEntry.journal(of: [bad.encoded])) == nil, "\(name)")
        }
        var far = entry
        far.segments[0].place = 9
        #expect(UndoEntry.entries(of: UndoEntry.journal(of: [far.encoded])) == nil)
        far.segments[0].place = .max
        #expect(UndoEntry.entries(of: UndoEntry.journal(of: [far.encoded])) == nil)
    }

    /// Killed at any moment, with another writer at the same file.
    @Test func survivesBeingKilledBesideAnother() throws {
        let place = try Place(20_000)
        var generator = Trials.generator("kill-in-place")
        let probe = Products.path("artifact-probe")
        for _ in 0..<Trials.count(15, full: 300) {
            let writer = try Companion([probe, "loop", place.path, place.packet])
            #expect(writer.readLine() == "ready")
            usleep(UInt32.random(in: 0...15_000, using: &generator))
            writer.end()
            try PatchWriter().recover(folderOf: place.path)
            let content = try place.content
            #expect(content == place.unsigned || content == place.signed)
            #expect(try place.others.isEmpty)
        }
    }

    // MARK: Others at work

    @Test func letsOneOfManyWritersWin() throws {
        let place = try Place(300_000)
        let patch = try place.patch()
        let outcomes = Lock<[String]>([])
        let shared = PatchWriter(inPlace: true)
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            let outcome: String
            do throws(ArtifactError) {
                try (number % 2 == 0 ? shared : PatchWriter(inPlace: true)).apply(patch)
                outcome = "done"
            } catch {
                outcome = error.code.id
            }
            outcomes.withLock { $0.append(outcome) }
        }
        let counts = outcomes.withLock { Dictionary(grouping: $0) { $0 }.mapValues(\.count) }
        #expect(counts == ["done": 1, "artifact-changed": 7])
        #expect(try place.content == place.signed)
    }

    /// Many files at once share their journals.
    @Test func signsManyAtOnce() throws {
        let place = try Place(3000)
        let count = 64
        var paths: [String] = []
        for number in 0..<count { paths.append(try place.folder.write("p/\(number).rpm", place.unsigned)) }
        let writer = PatchWriter(inPlace: true)
        let signature = try place.signature
        let all = paths
        let failed = Lock(0)
        DispatchQueue.concurrentPerform(iterations: count) { number in
            let patch = try? Artifact(reading: all[number]).patch(embedding: signature)
            guard let patch, (try? writer.apply(patch)) != nil else { return failed.withLock { $0 += 1 } }
        }
        #expect(failed.withLock { $0 } == 0)
        for number in 0..<count { #expect(try place.folder.read("p/\(number).rpm") == place.signed) }
        #expect(try place.others.allSatisfy { !$0.hasPrefix(".") || $0.hasSuffix(".undo") })
    }

    // MARK: Disks

    /// The journal does not fit: nothing is begun.
    @Test(.needs(.mounts)) func leavesTheOriginalOnAFullDisk() throws {
        let place = try Place()
        let script = """
            set -e
            mount -t tmpfs -o size=16k none "$1"
            cp "$2" "$1/a.rpm"
            head -c 100000 /dev/zero > "$1/fill" 2> /dev/null || true
            "$0" once "$1/a.rpm" "$3" || true
            cmp "$2" "$1/a.rpm" && ls -A "$1"
            """
        let disk = try TemporaryFolder()
        let output = try Command.check([
            "unshare", "--mount", "sh", "-c", script, Products.path("artifact-probe"), disk.path, place.path,
            place.packet,
        ])
        #expect(output.text == "artifact-unwritable\na.rpm\nfill\n")
    }

    /// The disk fails while the file is written or synced: it is taken back at once, or by the journal that stays.
    @Test(
        .needs(.program("strace")),
        arguments: [("fdatasync", 2, "artifact-unwritable"), ("pwrite64", 3, "artifact-unwritable")])
    func takesBackWhatTheDiskRefuses(_ call: String, _ number: Int, _ code: String) throws {
        let place = try Place()
        let output = try Command.run([
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
            "inject=\(call):error=EIO:when=\(number)", Products.path("artifact-probe"), "once", place.path,
            place.packet,
        ])
        #expect(output.text == code + "\n", "\(output.errorText)")
        #expect(try place.content == place.unsigned)
    }

    @Test(.needs(.program("strace"))) func keepsTheJournalOfWhatItCannotTakeBack() throws {
        let place = try Place()
        let output = try Command.run([
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
            "inject=pwrite64:error=EIO:when=3+", Products.path("artifact-probe"), "once", place.path,
            place.packet,
        ])
        #expect(output.text == "artifact-unsettled\n", "\(output.errorText)")
        #expect(try place.content != place.unsigned)
        #expect(try place.others.count == 1)
        try PatchWriter().recover(folderOf: place.path)
        #expect(try place.content == place.unsigned)
        #expect(try place.others.isEmpty)
    }
}
