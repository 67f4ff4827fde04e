// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// Packages that rpm's own programs signed, and what is made of them byte by byte: rpm's judgement beside ours.
@Suite struct RPMAgreementTests {
    /// GnuPG's keys, an rpm database that trusts them, and packages of rpmbuild that rpmsign signed.
    final class Foreign: Sendable {
        let folder: TemporaryFolder
        let keys: TrustedKeys
        static let made = Result { try Foreign() }

        private init() throws {
            folder = try TemporaryFolder()
            let home = folder.path + "/gpg"
            try FileManager.default.createDirectory(
                atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            defer { _ = try? Command.run(["gpgconf", "--homedir", home, "--kill", "all"]) }
            let gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", ""]
            var keys = TrustedKeys()
            for (name, algorithm) in [("rsa", "rsa2048"), ("edwards", "ed25519"), ("dsa", "dsa2048")] {
                try Command.check(gpg + ["--quick-generate-key", name, algorithm, "sign,cert", "never"])
                let key = try folder.write(
                    name + ".asc", try Command.check(gpg + ["--armor", "--export", name]).stdout)
                try Command.check(["rpmkeys", "--dbpath", folder.path + "/db", "--import", key])
                if name != "dsa" {
                    let bytes = try folder.read(name + ".asc")
                    try keys.add(contentsOf: bytes.span, name: name)
                }
            }
            self.keys = keys
            let spec = try folder.write(
                "p.spec",
                """
                Name: plain
                Version: 1.0
                Release: 1
                BuildArch: noarch
                Summary: A package
                License: Apache-2.0
                %description
                Made in a test.
                %install
                mkdir -p %{buildroot}/usr/share/plain
                seq 1 50 > %{buildroot}/usr/share/plain/numbers
                %files
                /usr/share/plain
                """)
            try Command.check(["rpmbuild", "--quiet", "-ba", "--define", "_topdir \(folder.path)/top", spec])
            let built = folder.path + "/top/RPMS/noarch/plain-1.0-1.noarch.rpm"
            let source = folder.path + "/top/SRPMS/plain-1.0-1.src.rpm"
            func sign(_ name: String, _ key: String, _ from: String, _ options: [String] = []) throws {
                let path = folder.path + "/" + name
                try Command.check(["cp", from, path])
                try Command.check(
                    [
                        "rpmsign", "--define", "_gpg_name \(key)", "--define", "_gpg_path \(home)",
                        "--define",
                        "__gpg /usr/bin/gpg",
                    ] + options + ["--addsign", path])
            }
            try sign("rsa.rpm", "rsa", built)
            try sign("edwards.rpm", "edwards", built)
            try sign("source.rpm", "rsa", source)
            try sign("old.rpm", "rsa", built, ["--rpmv3"])
            try sign("sha512.rpm", "rsa", built, ["--define", "_gpg_digest_algo sha512"])
            try Command.check(["cp", built, folder.path + "/bare.rpm"])
            // Without a digest of the payload in the header: signed as before rpm 4.14, and by the header alone.
            var sample = SampleRPM()
            sample.hasPayloadDigest = false
            try sample.write(to: folder.path + "/legacy-bare.rpm")
            try sign("legacy.rpm", "rsa", folder.path + "/legacy-bare.rpm")
        }

        /// rpm's judgement of each file: whether digests and signatures are there and good.
        func accepts(_ paths: [String]) throws -> [Bool] {
            let output = try Command.run(
                ["rpmkeys", "--dbpath", folder.path + "/db", "--define", "_pkgverify_level all", "-K"] + paths
            )
            // A file that cannot be read at all leaves its name without an end of line.
            let lines = output.text.split(separator: "\n").compactMap { line -> (String, Bool)? in
                guard let colon = line.range(of: ": ", options: .backwards) else { return nil }
                let name = line[..<colon.lowerBound].split(separator: ":").last ?? ""
                return (String(name), line.hasSuffix(": digests signatures OK"))
            }
            let verdicts = Dictionary(lines) { $0 && $1 }
            return paths.map { verdicts[$0] ?? false }
        }

        /// What rpm says of each signature and digest.
        func notes(on path: String) throws -> String {
            try Command.run(["rpmkeys", "--dbpath", folder.path + "/db", "-Kv", path]).text
        }

        /// All signatures have to hold, as rpm asks for; a header's may stand beside one of the whole file.
        func isGood(_ path: String) -> Bool {
            guard let verdict = try? FileVerdict(of: path, by: keys, at: Signers.later) else {
                return false
            }
            return verdict.outcome == .good
                && verdict.signatures.allSatisfy { $0.isValid || $0.refusal == .partial }
        }
    }

    @Test(
        arguments: [
            ("rsa.rpm", true), ("edwards.rpm", true), ("source.rpm", true), ("old.rpm", true),
            ("sha512.rpm", true),
            ("legacy.rpm", true), ("bare.rpm", false), ("legacy-bare.rpm", false),
        ])
    func agrees(_ name: String, _ isGood: Bool) throws {
        let foreign = try Foreign.made.get()
        let path = foreign.folder.path + "/" + name
        #expect(try foreign.accepts([path]) == [isGood])
        #expect(foreign.isGood(path) == isGood)
    }

    /// One changed bit, at random places of the whole file.
    ///
    /// What rpm refuses is never good here, but for the unsigned hint at a signature's issuer, by which rpm looks for the
    /// key and we do not. What rpm takes is good here, but for the signature header's index, sizes and the case of its
    /// digests, which rpm looks at less strictly, and four bytes of the main header's beginning, which it does not read.
    @Test(arguments: ["rsa.rpm", "edwards.rpm", "source.rpm", "old.rpm", "legacy.rpm"])
    func agreesOnChangedFiles(_ name: String) throws {
        let foreign = try Foreign.made.get()
        let signed = try foreign.folder.read(name)
        let (hints, reserved) = (Self.hints(signed), Self.reservedSpace(signed))
        let unread = Self.unreadBytes(signed)
        var random = Trials.generator("changed packages")
        let scratch = try TemporaryFolder()
        var (paths, changes): ([String], [(place: Int, bit: Int)]) = ([], [])
        for number in 0..<Trials.count(60, full: 1_000) {
            // Every other change is where rpm reads most.
            let end = number.isMultiple(of: 2) ? signed.count : min(signed.count, 1200)
            let (place, bit) = (
                Int.random(in: 0..<end, using: &random), Int.random(in: 0...7, using: &random)
            )
            var bytes = signed
            bytes[place] ^= 1 << UInt8(bit)
            paths.append(try scratch.write("\(number).rpm", bytes))
            changes.append((place, bit))
        }
        for start in stride(from: 0, to: paths.count, by: 500) {
            let part = Array(paths[start..<min(paths.count, start + 500)])
            for (offset, accepted) in try foreign.accepts(part).enumerated() {
                let (place, bit) = changes[start + offset]
                let isGood = foreign.isGood(part[offset])
                let isKnown =
                    isGood
                    ? hints.contains(place) : (96..<reserved).contains(place) || unread.contains(place)
                #expect(isGood == accepted || isKnown, "byte \(place), bit \(bit): good here \(isGood)")
            }
        }
    }

    /// The subpackets with the issuer's key id, outside of what is signed.
    private static func hints(_ bytes: [UInt8]) -> Set<Int> {
        let places = bytes.indices.dropLast(12).filter {
            bytes[$0] == 10 && bytes[$0 + 1] == 9 && bytes[$0 + 2] == 16
        }
        return Set(places.flatMap { ($0 - 1)...($0 + 10) })
    }

    /// Where the room for signatures begins in the file: the value of tag 1008, the last one.
    private static func reservedSpace(_ bytes: [UInt8]) -> Int {
        let count = word(104, bytes)
        return 112 + 16 * count + word(112 + 16 * (count - 1) + 8, bytes)
    }

    /// Behind the magic number of the main header, which begins at a multiple of eight: zeros without a meaning.
    private static func unreadBytes(_ bytes: [UInt8]) -> Range<Int> {
        let header = (112 + 16 * word(104, bytes) + word(108, bytes) + 7) / 8 * 8
        return header + 4..<header + 8
    }

    private static func word(_ place: Int, _ bytes: [UInt8]) -> Int {
        (0..<4).reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
    }
}
