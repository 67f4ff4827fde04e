// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// Files that nobody meant to be read: whatever is in them, they end in a verdict, an inspection or an error, and soon.
@Suite struct MalformedFileTests {
    /// Everything that any fuzzer kept, whatever parser it was for.
    static let corpora: [String] = {
        let root = Repository.path("Fuzz/Corpus")
        let names = (FileManager.default.enumerator(atPath: root)?.allObjects ?? []).compactMap {
            $0 as? String
        }
        return names.map { root + "/" + $0 }.filter {
            var isFolder: ObjCBool = false
            return unsafe FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }()

    /// Judges and inspects a file as each kind and as none, and returns the outcomes of those that were judged.
    @discardableResult
    static func look(at path: String, _ keys: TrustedKeys, kinds: [SigningKind?]) -> [FileVerdict.Outcome] {
        var outcomes: [FileVerdict.Outcome] = []
        for kind in kinds {
            let name = "\(path) as \(kind?.rawValue ?? "recognised")"
            Effort.soon(name) {
                do {
                    outcomes.append(try FileVerdict(of: path, as: kind, by: keys, at: Signers.later).outcome)
                } catch {
                    let coded = error as? any CodedError
                    #expect(coded != nil && coded?.code.category != .internal, "\(name): \(error)")
                }
            }
            Effort.soon(name) {
                do {
                    _ = try Inspection(of: path, as: kind)
                } catch {
                    #expect(error is any CodedError, "\(name): \(error)")
                }
            }
        }
        return outcomes
    }

    @Test func everyCorpusAsAFile() throws {
        try #require(Self.corpora.count > 100)
        let keys = FileVerdictTests.keys(try Signers.made.get())
        for path in Self.corpora {
            let outcomes = Self.look(at: path, keys, kinds: [nil] + SigningKind.allCases)
            #expect(!outcomes.contains(.good), "\(path)")
        }
    }

    /// As a detached signature, and as a file of keys.
    @Test func everyCorpusBesideAFile() throws {
        let keys = FileVerdictTests.keys(try Signers.made.get())
        let folder = try TemporaryFolder()
        let document = try folder.write("a.txt", "a text\n")
        let module = try folder.write("a.ko", SampleModule.bytes())
        for path in Self.corpora {
            let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            for (file, kind) in [
                (document, SigningKind.generic), (document, .cms), (document, nil), (module, .module),
                (module, nil),
            ] {
                let outcome = Effort.soon(path) {
                    try? FileVerdict(of: file, as: kind, by: keys, at: Signers.now, detached: bytes).outcome
                }
                #expect(outcome != .good)
            }
            Effort.soon(path) {
                var found = TrustedKeys()
                try? found.add(contentsOf: bytes.span, name: path)
                try? found.add(authorities: bytes.span, name: path)
                try? found.add(revocationLists: bytes.span, name: path)
            }
        }
    }

    /// Packages with spoiled fields: whatever is good here is good for rpm.
    @Test func packages() throws {
        let foreign = try RPMAgreementTests.Foreign.made.get()
        var mutator = Mutator(Trials.generator("malformed packages"))
        let folder = try TemporaryFolder()
        let samples = try ["rsa.rpm", "edwards.rpm", "old.rpm", "legacy.rpm"].map {
            try foreign.folder.read($0)
        }
        var good: [String] = []
        for number in 0..<Trials.count(80, full: 10_000) {
            let sample = samples.randomElement(using: &mutator.random) ?? []
            let path = try folder.write(
                "\(number).rpm", mutator.spoil(sample, fields: Self.fields(of: sample)))
            let outcomes = Self.look(at: path, foreign.keys, kinds: [.rpm])
            if outcomes == [.good], foreign.isGood(path) {
                good.append(path)
            } else {
                try FileManager.default.removeItem(atPath: path)
            }
        }
        #expect(!good.isEmpty)
        for start in stride(from: 0, to: good.count, by: 500) {
            let part = Array(good[start..<min(good.count, start + 500)])
            for (path, accepted) in zip(part, try foreign.accepts(part)) where !accepted {
                // Where only the unsigned hint at the issuer is another, rpm does not find the key.
                let notes = try foreign.notes(on: path)
                #expect(notes.contains("NOKEY") && !notes.contains("BAD"), "\(path): \(notes)")
            }
        }
    }

    /// The numbers of both headers' indexes.
    private static func fields(of file: [UInt8]) -> [Range<Int>] {
        func word(_ place: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(file[place + $1]) } }
        func index(_ start: Int) -> [Range<Int>] {
            (0..<4 * (1 + word(start + 8))).map { start + 4 * $0..<start + 4 * $0 + 4 }
        }
        let main = 96 + (16 + 16 * word(104) + word(108) + 7) & ~7
        return [4..<5, 78..<80] + index(96) + index(main)
    }

    @Test func modulesAndDocuments() throws {
        let signers = try Signers.made.get()
        let keys = FileVerdictTests.keys(signers)
        let folder = try TemporaryFolder()
        let module = try folder.write("a.ko", SampleModule.bytes())
        let document = try folder.write("a.txt", "a text\n")
        for path in [module, document] { try signers.sign(path) }
        let (signed, armored) = (try folder.read("a.ko"), try folder.read("a.txt.asc"))
        var mutator = Mutator(Trials.generator("malformed modules and documents"))
        let header = stride(from: 16, to: 64, by: 2).map { $0..<$0 + 2 }
        let trailer = stride(from: signed.count - 40, to: signed.count - 28, by: 4).map { $0..<$0 + 4 }
        for _ in 0..<Trials.count(200, full: 10_000) {
            try folder.write("a.ko", mutator.spoil(signed, fields: header + trailer))
            let outcomes = Self.look(at: module, keys, kinds: [.module])
            #expect(try outcomes != [.good] || folder.read("a.ko") == signed)
            try folder.write("a.txt.asc", mutator.spoil(armored, fields: []))
            // Blanks, texts before and headers in armor do not count.
            Self.look(at: document, keys, kinds: [.generic, nil])
        }
    }
}
