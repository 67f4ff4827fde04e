// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import SampleFiles
import TestSupport
import Testing

@testable import Artifacts

@Suite struct RPMHeaderTests {
    static func header(_ change: (inout SampleRPM) -> Void = { _ in }) throws -> RPMHeader {
        var sample = SampleRPM()
        change(&sample)
        return try RPMHeader(sample.mainHeader, .main)
    }

    @Test func tellsWhatThePackageIs() throws {
        let header = try Self.header {
            $0.name = "libfoo+bar"
            $0.epoch = 3
            $0.version = "1.2~rc1"
            $0.release = "7.oe2403"
            $0.architecture = "aarch64"
            $0.vendor = "Grüne Äpfel"
        }
        #expect(header.package.description == "libfoo+bar-3:1.2~rc1-7.oe2403.aarch64")
        #expect(header.package.epoch == 3)
        #expect(header.package.vendor == "Grüne Äpfel")
        #expect(!header.package.isSource)
        #expect(header.payloadDigests == [SampleRPM().payloadDigest(.sha256)])
    }

    @Test func tellsSourcePackages() throws {
        let header = try Self.header {
            $0.isSource = true; $0.vendor = nil
        }
        #expect(header.package.isSource)
        #expect(header.package.vendor == nil)
        #expect(header.package.description == "sample-1.0-1.src")
    }

    @Test func hasNoPayloadDigestWherePackagesHaveNone() throws {
        #expect(try Self.header { $0.hasPayloadDigest = false }.payloadDigests.isEmpty)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var message: String
        var code = "artifact-malformed"
        var change: @Sendable (inout HeaderBuilder) -> Void
    }

    static let badValues: [Bad] = [
        Bad(testDescription: "no name", message: "no name") { $0.remove(1000) },
        Bad(testDescription: "no version", message: "no version") { $0.remove(1001) },
        Bad(testDescription: "no architecture", message: "no architecture") { $0.remove(1022) },
        Bad(testDescription: "empty name", message: "name is not") { Self.set(1000, to: "", in: &$0) },
        Bad(testDescription: "name with a slash", message: "name is not") {
            Self.set(1000, to: "a/b", in: &$0)
        },
        Bad(testDescription: "name with a blank", message: "name is not") {
            Self.set(1000, to: "a b", in: &$0)
        },
        Bad(testDescription: "release with an escape", message: "release is not") {
            Self.set(1002, to: "1\u{1b}[2J", in: &$0)
        },
        Bad(testDescription: "name outside ASCII", message: "name is not") {
            Self.set(1000, to: "ä", in: &$0)
        },
        Bad(testDescription: "name too long", message: "name is not") {
            Self.set(1000, to: String(repeating: "a", count: 256), in: &$0)
        },
        Bad(testDescription: "name of another type", message: "name has the wrong type") { builder in
            Self.change(1000, in: &builder) { $0.type = 9 }
        },
        Bad(testDescription: "number as text", message: "tag 1009 has the wrong type") { builder in
            Self.change(1009, in: &builder) {
                $0.type = 6; $0.data = [0x31, 0]
            }
        },
        Bad(testDescription: "signature in the main header", message: "tag 268 belongs into") {
            Self.insert(HeaderBuilder.Value(tag: 268, type: 7, count: 1, data: [1]), in: &$0)
        },
        Bad(testDescription: "archive size in the main header", message: "tag 1046 belongs into") {
            Self.insert(HeaderBuilder.Value(tag: 1046, type: 4, count: 1, data: [0, 0, 0, 1]), in: &$0)
        },
        Bad(testDescription: "two names in one value", message: "name has the wrong type") { builder in
            Self.change(1000, in: &builder) {
                $0.type = 8; $0.count = 2; $0.data += [0x62, 0]
            }
        },
        Bad(testDescription: "text counted twice", message: "tag 1000 is empty or does not end") { builder in
            Self.change(1000, in: &builder) {
                $0.count = 2; $0.data += [0x62, 0]
            }
        },
        Bad(testDescription: "epoch of 64 bits", message: "tag 1003 has the wrong type") {
            $0.remove(1004)
            Self.insert(
                HeaderBuilder.Value(tag: 1003, type: 5, count: 1, data: [0, 0, 0, 0, 0, 0, 0, 1]), in: &$0)
        },
        Bad(testDescription: "two epochs", message: "epoch has the wrong type") {
            Self.insert(
                HeaderBuilder.Value(tag: 1003, type: 4, count: 2, data: [0, 0, 0, 1, 0, 0, 0, 2]), in: &$0)
        },
        Bad(testDescription: "tag twice", message: "tag 1000 is twice") { builder in
            let name = builder.values.first { $0.tag == 1000 }
            if let name { builder.values.insert(name, at: 1) }
        },
        Bad(testDescription: "out of order", message: "out of order") { $0.values.swapAt(1, 2) },
        Bad(testDescription: "a number that rpm takes for a negative one", message: "tag 2147483648 is") {
            Self.insert(HeaderBuilder.Value(tag: 0x8000_0000, type: 7, count: 1, data: [1]), in: &$0)
        },
        Bad(testDescription: "a region in the middle", message: "tag 63 is twice") { builder in
            builder.values.insert(HeaderBuilder.Value(tag: 63, type: 7, count: 1, data: [0]), at: 0)
        },
        Bad(testDescription: "unknown type", message: "unknown type 10") { builder in
            Self.change(1007, in: &builder) { $0.type = 10 }
        },
        Bad(testDescription: "type null", message: "unknown type 0") { builder in
            Self.change(1007, in: &builder) { $0.type = 0 }
        },
        Bad(testDescription: "a gap behind a text", message: "tag 1001 does not follow") { builder in
            Self.change(1000, in: &builder) { $0.data += [0] }
        },
        Bad(testDescription: "a gap at the end", message: "bytes behind the last value") { builder in
            Self.change(5093, in: &builder) { $0.data += [0] }
        },
        Bad(testDescription: "no items", message: "tag 1006 is empty") { builder in
            Self.change(1006, in: &builder) { $0.count = 0 }
        },
        Bad(testDescription: "more items than bytes", message: "tag 1006 is empty or does not end") {
            builder in
            Self.change(1006, in: &builder) { $0.count = 0xffff_ffff }
        },
        Bad(testDescription: "text without an end", message: "tag 5093 is empty or does not end") { builder in
            Self.change(5093, in: &builder) {
                $0.type = 6; $0.data = [0x41, 0x41]
            }
        },
        Bad(testDescription: "payload digest in capitals", message: "payload digest is not") {
            Self.set(5092, to: String(repeating: "A", count: 64), in: &$0)
        },
        Bad(testDescription: "payload digest cut off", message: "payload digest is not") {
            Self.set(5092, to: String(repeating: "a", count: 62), in: &$0)
        },
        Bad(testDescription: "payload digest by MD5", message: "payload digest is not") { builder in
            Self.change(5093, in: &builder) { $0.data = [0, 0, 0, 1] }
        },
        Bad(testDescription: "payload digest without its algorithm", message: "payload digest is not") {
            $0.remove(5093)
        },
        Bad(testDescription: "format 6", message: "format 6", code: "artifact-unsupported") {
            $0.numbers(5114, [6])
        },
    ]

    static func change(
        _ tag: UInt32, in builder: inout HeaderBuilder, _ body: (inout HeaderBuilder.Value) -> Void
    ) {
        for index in builder.values.indices where builder.values[index].tag == tag {
            body(&builder.values[index])
        }
    }

    static func set(_ tag: UInt32, to text: String, in builder: inout HeaderBuilder) {
        change(tag, in: &builder) { $0.data = Array(text.utf8) + [0] }
    }

    static func insert(_ value: HeaderBuilder.Value, in builder: inout HeaderBuilder) {
        builder.values.insert(
            value, at: builder.values.firstIndex { $0.tag > value.tag } ?? builder.values.count)
    }

    @Test(arguments: badValues)
    func refuses(_ bad: Bad) throws {
        let error = #expect(throws: ArtifactError.self) { try Self.header { $0.changeMain = bad.change } }
        #expect(error?.message.contains(bad.message) == true, "\(error?.message ?? "")")
        #expect(error?.code.id == bad.code)
    }

    struct BadBytes: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var message: String
        var change: @Sendable (inout [UInt8]) -> Void
    }

    static let badBytes: [BadBytes] = [
        BadBytes(testDescription: "empty", message: "cut off") { $0 = [] },
        BadBytes(testDescription: "only the start", message: "announces") { $0 = Array($0.prefix(16)) },
        BadBytes(testDescription: "a byte less", message: "announces") { $0.removeLast() },
        BadBytes(testDescription: "a byte more", message: "announces") { $0.append(0) },
        BadBytes(testDescription: "another magic number", message: "starts with other") { $0[3] = 2 },
        BadBytes(testDescription: "reserved bytes", message: "starts with other") { $0[7] = 1 },
        BadBytes(testDescription: "no entries", message: "0 entries") {
            $0.replaceSubrange(8..<12, with: [0, 0, 0, 0])
        },
        BadBytes(testDescription: "too many entries", message: "65536 entries") {
            $0.replaceSubrange(8..<12, with: [0, 1, 0, 0])
        },
        BadBytes(testDescription: "too much data", message: "the limit is") {
            $0.replaceSubrange(12..<16, with: [0xff, 0xff, 0xff, 0xff])
        },
        BadBytes(testDescription: "less data than the trailer", message: "region") {
            $0 = Array($0.prefix(16)) + [UInt8](repeating: 0, count: 16)
            $0.replaceSubrange(8..<16, with: [0, 0, 0, 1, 0, 0, 0, 0])
        },
        BadBytes(testDescription: "the other header's region", message: "region") { $0[19] = 62 },
        BadBytes(testDescription: "a smaller region", message: "region") { $0[$0.count - 5] &+= 16 },
        BadBytes(testDescription: "a trailer elsewhere", message: "region") { $0[27] &-= 16 },
        BadBytes(testDescription: "a value before its neighbour", message: "tag 1000 does not follow") {
            $0.replaceSubrange(56..<60, with: [0, 0, 0, 0])
        },
    ]

    @Test(arguments: badBytes)
    func refusesBytes(_ bad: BadBytes) throws {
        var bytes = SampleRPM().mainHeader
        bad.change(&bytes)
        let error = #expect(throws: ArtifactError.self) { try RPMHeader(bytes, .main) }
        #expect(error?.message.contains(bad.message) == true, "\(error?.message ?? "")")
    }

    @Test func takesAHundredThousandFiles() throws {
        let header = try Self.header { $0.files = Trials.count(5_000, full: 100_000) }
        #expect(header.package.name == "sample")
    }

    // MARK: What rpm says

    @Test(.needs(.program("rpm")))
    func agreesWithRPM() throws {
        let folder = try TemporaryFolder()
        let samples: [@Sendable (inout SampleRPM) -> Void] = [
            { _ in },
            {
                $0.epoch = 7; $0.version = "2.0~beta^git1"; $0.files = 0
            },
            {
                $0.isSource = true; $0.architecture = "x86_64"
            },
            {
                $0.hasPayloadDigest = false; $0.vendor = nil; $0.files = 200
            },
        ]
        for (index, change) in samples.enumerated() {
            var sample = SampleRPM()
            change(&sample)
            let path = folder.path + "/\(index).rpm"
            try sample.write(to: path)
            let checked = try Command.run(["rpmkeys", "-Kv", path])
            #expect(checked.status == 0, "\(checked.text)")
            try Self.compare(RPMHeader(sample.mainHeader, .main), withRPMOf: path)
        }
    }

    /// Packages as rpmbuild makes them, read from the file.
    @Test(.needs(.program("rpmbuild")))
    func readsWhatRPMBuildWrites() throws {
        let built = try BuiltRPMs.shared()
        for path in built.paths {
            let header = try RPMHeader(built.mainHeader(of: path), .main)
            try Self.compare(header, withRPMOf: path)
            #expect(header.payloadDigests.count == 1)
        }
        #expect(built.paths.count == 4)
    }

    static func compare(_ header: RPMHeader, withRPMOf path: String) throws {
        // No byte that is changed makes a second one of these.
        let mark = "<-|->"
        let format = ["NAME", "EPOCH", "VERSION", "RELEASE", "ARCH", "VENDOR", "SOURCERPM", "PAYLOADDIGEST"]
            .map { "%{\($0)}" }.joined(separator: mark)
        let words = try Command.check(["rpm", "-qp", "--nosignature", "--queryformat", format, path]).text
            .split(separator: mark, omittingEmptySubsequences: false).map(String.init)
        let package = header.package
        let ours = [
            package.name, package.epoch.map { "\($0)" } ?? "(none)", package.version, package.release,
            package.architecture, package.vendor ?? "(none)",
        ]
        #expect(Array(words[..<6]) == ours)
        #expect((words[6] == "(none)") == package.isSource)
        #expect(words[7] == header.payloadDigests.first?.description ?? "(none)")
    }

    /// The table of types is rpm's own.
    @Test(.needs(.program("rpm")))
    func knowsTheTypesThatRPMKnows() throws {
        let script = """
            import ctypes
            rpm = ctypes.CDLL('librpm.so.9')
            for tag in range(1000, 6000):
                if rpm.rpmTagGetTagType(tag): print(tag, rpm.rpmTagGetTagType(tag))
            """
        var expected: [UInt32: RPMTagTypes.Sort] = [:]
        for line in try Command.python(script).text.split(separator: "\n") {
            let words = line.split(separator: " ").compactMap { UInt32($0) }
            expected[words[0]] = RPMType(rawValue: words[1])?.sort
        }
        let ours = (1000..<6000).compactMap { tag in
            RPMTagTypes.sort(of: RPMTag(rawValue: tag)).map { (tag, $0) }
        }
        #expect(Dictionary(uniqueKeysWithValues: ours) == expected)
        #expect(expected.count > 200)
    }

    /// Whatever one changed byte makes of a header: what we take, rpm takes too, and reads the same in it.
    @Test(.needs(.program("rpm")))
    func takesNothingThatRPMRefuses() throws {
        var generator = Trials.generator("rpm-header")
        let folder = try TemporaryFolder()
        var sample = SampleRPM()
        sample.files = 1
        let good = sample.mainHeader
        var taken = 0
        for _ in 0..<Trials.count(40, full: 10_000) {
            var bytes = good
            // The index is where the structure is: tag, type, offset, count of an entry, or any byte of the data.
            let entry = 16 + 16 * Int.random(in: 1..<25, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[entry + 3] &+= UInt8.random(in: 1...3, using: &generator)
            case 1: bytes[entry + 7] = UInt8.random(in: 0...10, using: &generator)
            case 2: bytes[entry + 15] = UInt8.random(in: 0...3, using: &generator)
            default:
                let place = Int.random(in: 16 + 16 * 30..<bytes.count - 16, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let header = try? RPMHeader(bytes, .main) else { continue }
            taken += 1
            let signature = sample.signatureHeader(for: bytes)
            let file = sample.lead + signature + [UInt8](repeating: 0, count: -signature.count & 7) + bytes
            let path = try folder.write("changed.rpm", file)
            try Self.compare(header, withRPMOf: path)
        }
        print("changed headers taken: \(taken)")
    }
}
