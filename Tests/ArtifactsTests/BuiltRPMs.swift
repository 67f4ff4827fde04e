// SPDX-License-Identifier: Apache-2.0

import TestSupport

@testable import Artifacts

/// Packages that rpmbuild made: two binary ones, one with an epoch and vendor, and their source packages.
final class BuiltRPMs: Sendable {
    let folder: TemporaryFolder
    let paths: [String]

    private static let built = Result { try BuiltRPMs() }

    static func shared() throws -> BuiltRPMs { try built.get() }

    private init() throws {
        folder = try TemporaryFolder()
        let specs = [
            "plain": "Name: plain\nVersion: 1.0\nRelease: 1\nBuildArch: noarch",
            "dated": "Name: dated\nEpoch: 2\nVersion: 20260101~rc2\nRelease: 3.el9\nVendor: Some Farm, Inc.",
        ]
        for (name, preamble) in specs {
            let spec = try folder.write(
                name + ".spec",
                """
                \(preamble)
                Summary: A package
                License: Apache-2.0
                %description
                Made in a test.
                %install
                mkdir -p %{buildroot}/usr/share/\(name)
                for i in 1 2 3; do seq 1 1000 > %{buildroot}/usr/share/\(name)/$i; done
                %files
                /usr/share/\(name)
                """)
            try Command.check(["rpmbuild", "--quiet", "-ba", "--define", "_topdir \(folder.path)/top", spec])
        }
        paths = try Command.check(["find", folder.path + "/top", "-name", "*.rpm"]).text
            .split(separator: "\n").map(String.init).sorted()
    }

    /// Cut out of the file by hand.
    func mainHeader(of path: String) throws -> [UInt8] {
        let bytes = try folder.read(String(path.dropFirst(folder.path.utf8.count + 1)))
        func length(at place: Int) -> Int {
            func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(bytes[at + $1]) } }
            return 16 + 16 * word(place + 8) + word(place + 12)
        }
        let start = 96 + (length(at: 96) + 7) / 8 * 8
        return Array(bytes[start..<start + length(at: start)])
    }
}
