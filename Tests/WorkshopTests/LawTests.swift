// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `Scripts/laws` finds every breach: each case is a small checkout with one file that breaks one law, or keeps it.
@Suite struct LawTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var law: String
        var name: String
        var path = "Sources/Secrets/File.swift"
        var text: String
        /// What the report says of the file, or nil where it has nothing to say.
        var breach: String?
        var testDescription: String { "\(law): \(name)" }
    }

    static let licence = "// SPDX-License-Identifier: Apache-2.0\n"

    static let imports: [Case] = [
        Case(law: "imports", name: "a declared room", text: "internal import Bytes", breach: nil),
        Case(law: "imports", name: "a public import", text: "public import Bytes", breach: nil),
        Case(
            law: "imports", name: "the toolchain", text: "import Glibc\nimport FoundationEssentials",
            breach: nil),
        Case(law: "imports", name: "C where law 1 allows it", text: "internal import COpenSSL", breach: nil),
        Case(
            law: "imports", name: "a room above", text: "\ninternal import Cryptography",
            breach: "2: Secrets imports Cryptography but does not declare it"),
        Case(
            law: "imports", name: "a room that only a dependency declares",
            path: "Sources/Cryptography/File.swift",
            text: "internal import CLinux", breach: "1: Cryptography may not import CLinux"),
        Case(
            law: "imports", name: "C in a room that declares it against law 1",
            path: "Sources/Bytes/File.swift",
            text: "internal import CLinux", breach: "1: Bytes may not import CLinux"),
        Case(
            law: "imports", name: "C with the default access", text: "import COpenSSL",
            breach: "1: C stays inside: internal import COpenSSL"),
        Case(
            law: "imports", name: "C in public", text: "public import COpenSSL",
            breach: "1: C stays inside: internal import COpenSSL"),
        Case(
            law: "imports", name: "C not marked in a test", path: "Tests/SecretsTests/File.swift",
            text: "import COpenSSL", breach: "1: C stays inside: internal import COpenSSL"),
        Case(
            law: "imports", name: "full Foundation", text: "internal import Foundation",
            breach: "1: Secrets imports Foundation, which is neither"),
        Case(
            law: "imports", name: "full Foundation in a test", path: "Tests/SecretsTests/File.swift",
            text: "import Foundation", breach: nil),
        Case(
            law: "imports", name: "Testing in a room", text: "internal import Testing",
            breach: "1: Secrets imports Testing, which is neither"),
        Case(
            law: "imports", name: "one declaration", text: "internal import struct Cryptography.Digest",
            breach: "1: Secrets imports Cryptography but"),
        Case(
            law: "imports", name: "the second of a line", text: "import Bytes; import Cryptography",
            breach: "1: Secrets imports Cryptography but"),
        Case(
            law: "imports", name: "after a comment", text: "/* import Bytes */ import Cryptography",
            breach: "1: Secrets imports Cryptography but"),
        Case(
            law: "imports", name: "indented, under a condition",
            text: "#if DEBUG\n    import Cryptography\n#endif",
            breach: "2: Secrets imports Cryptography but"),
        Case(
            law: "imports", name: "handed on", text: "@_exported import Bytes",
            breach: "1: @_exported import Bytes"),
        Case(
            law: "imports", name: "behind the door", text: "@testable import Bytes",
            breach: "1: @testable import Bytes"),
        Case(
            law: "imports", name: "behind the door, by a test", path: "Tests/SecretsTests/File.swift",
            text: "@testable import Secrets", breach: nil),
        Case(
            law: "imports", name: "a file of no room", path: "Sources/Nowhere/File.swift",
            text: "import Bytes", breach: "1: belongs to no target"),
        Case(
            law: "imports", name: "in comments and strings",
            text:
                "// import A\n/* import B\n/* */ import C */\nlet a = \"\"\"\nimport D\n\"\"\"\nlet b = #\"\\\"#",
            breach: nil),
    ]

    static let others: [Case] = [
        Case(law: "licence", name: "named", text: licence, breach: nil),
        Case(law: "licence", name: "missing", text: "let a = 1\n", breach: "1: does not say SPDX"),
        Case(law: "licence", name: "too late", text: "\n" + licence, breach: "1: does not say SPDX"),
        Case(
            law: "licence", name: "missing in a script", path: "Scripts/some", text: "#!/bin/sh\n\n\n",
            breach: "2: does not say SPDX"),
        Case(
            law: "length", name: "450 lines", text: String(repeating: "\n", count: 450), breach: nil),
        Case(
            law: "length", name: "451 lines", text: String(repeating: "\n", count: 451), breach: "451 lines"),
        Case(law: "traps", name: "a forced cast", text: "let a = b as! C", breach: "1: as! has no place"),
        Case(
            law: "traps", name: "a test's forced cast", path: "Tests/T/T.swift", text: "b as! C", breach: nil),
        Case(law: "traps", name: "an end", text: "fatalError(\"\")", breach: "1: fatalError( has no place"),
        Case(law: "traps", name: "a comment", text: "// never as! anything, fatalError()", breach: nil),
        Case(
            law: "pinned", name: "with hashes", path: "Tests/requirements.txt",
            text: "# why\na==1 \\\n    --hash=sha256:00\nb-c==2 \\\n    --hash=sha256:11\n", breach: nil),
        Case(
            law: "pinned", name: "without hashes", path: "Tests/requirements.txt",
            text: "a==1 \\\n    --hash=sha256:00\nb==2\n", breach: "3: b needs one version"),
        Case(
            law: "pinned", name: "twice", path: "Tests/requirements.txt",
            text: "a==1 \\\n    --hash=sha256:00\na==2 \\\n    --hash=sha256:00\n",
            breach: "3: a needs one version"),
        Case(
            law: "corpora", name: "small", path: "Fuzz/Corpus/a/1",
            text: String(repeating: "a", count: 2 << 20),
            breach: nil),
        Case(
            law: "corpora", name: "large", path: "Fuzz/Corpus/a/1",
            text: String(repeating: "a", count: (2 << 20) + 1), breach: "2097153 bytes"),
    ]

    static let floors = """
        {"targets": [
          {"name": "CLinux", "path": "Sources/CLinux", "type": "system-target"},
          {"name": "COpenSSL", "path": "Sources/COpenSSL", "type": "system-target"},
          {"name": "Bytes", "path": "Sources/Bytes", "type": "library", "target_dependencies": ["CLinux"]},
          {"name": "Secrets", "path": "Sources/Secrets", "type": "library",
           "target_dependencies": ["Bytes", "COpenSSL", "CLinux"]},
          {"name": "SecretsTests", "path": "Tests/SecretsTests", "type": "test",
           "target_dependencies": ["Secrets", "COpenSSL"]},
          {"name": "Cryptography", "path": "Sources/Cryptography", "type": "library",
           "target_dependencies": ["Secrets", "COpenSSL"]}
        ]}
        """

    @Test(arguments: imports + others)
    func judges(_ example: Case) throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/" + example.path
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: file).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try folder.write("Package.swift", "// swift-tools-version: 6.2\n" + Self.licence)
        try folder.write("floors.json", Self.floors)
        try folder.write(example.path, example.text)
        let report = try Command.run([
            "/usr/bin/python3", "-B", Repository.path("Scripts/laws"), example.law, folder.path,
            folder.path + "/floors.json",
        ])
        if let breach = example.breach {
            #expect(report.status == 1, "\(report.errorText)")
            let place = example.law == "corpora" ? "Fuzz/Corpus" : example.path
            #expect(report.text.hasPrefix(place + ":"))
            #expect(report.text.contains(breach))
            #expect(report.text.split(separator: "\n").count == 1, "\(report.text)")
        } else {
            #expect(report.status == 0, "\(report.text)\(report.errorText)")
        }
    }
}
