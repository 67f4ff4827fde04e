// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The manifest stops when a room reaches up, sideways or out of the house.
@Suite struct ManifestTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// What is added to the row of Bytes.
        var uses: String
        /// What the manifest says, or nil when it loads.
        var complaint: String?
    }

    @Test(arguments: [
        Case(testDescription: "as it is", uses: "[]", complaint: nil),
        Case(testDescription: "down", uses: #"["CLinux"]"#, complaint: nil),
        Case(
            testDescription: "up", uses: #"["Secrets"]"#, complaint: "Bytes reaches up or sideways to Secrets"
        ),
        Case(
            testDescription: "sideways", uses: #"["Diagnostics"]"#,
            complaint: "Bytes reaches up or sideways to Diagnostics"),
        Case(
            testDescription: "itself", uses: #"["Bytes"]"#, complaint: "Bytes reaches up or sideways to Bytes"
        ),
        Case(
            testDescription: "out", uses: #"["Nowhere"]"#,
            complaint: "Bytes uses Nowhere, which is not in the"),
    ])
    func judges(_ example: Case) throws {
        let manifest = try String(contentsOfFile: Repository.path("Package.swift"), encoding: .utf8)
        let row = #"Room(floor: 1, name: "Bytes", "#
        try #require(manifest.contains(row))
        let folder = try TemporaryFolder()
        try folder.write(
            "Package.swift",
            manifest.replacingOccurrences(of: row, with: row + "uses: \(example.uses), "))
        let dump = try Command.run(["swift", "package", "dump-package"], folder: folder.path)
        if let complaint = example.complaint {
            #expect(dump.status != 0)
            #expect(dump.errorText.contains(complaint), "\(dump.errorText)")
        } else {
            #expect(dump.status == 0, "\(dump.errorText)")
        }
    }
}
