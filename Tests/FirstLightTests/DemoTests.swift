// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The demonstration, as somebody sees it who has just built everything.
@Suite(.serialized) struct DemoTests {
    private func run(_ programs: String = Products.folder) throws -> Command.Output {
        var environment = Command.environment
        environment["SIGNET_BIN"] = programs
        return try Command.run(["bash", "Scripts/demo"], environment: environment, folder: Repository.root)
    }

    @Test func endsWell() throws {
        let output = try run()
        #expect(output.status == 0, "\(output.text)\n\(output.errorText)")
        #expect(output.text.contains("All is well"))
    }

    /// It takes notice when something is amiss: here a client that leaves its files as they are.
    @Test func noticesWhatIsAmiss() throws {
        let folder = try TemporaryFolder()
        for name in ["control-admin", "control-server", "data-server"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/" + name, withDestinationPath: Products.path(name))
        }
        try folder.write(
            "signet",
            "#!/bin/sh\ncase $1 in sign) exit 0 ;; esac\nexec '\(Products.path("signet"))' \"$@\"\n",
            mode: 0o755)
        let output = try run(folder.path)
        #expect(output.status == 1 && output.text.contains("WRONG: "), "\(output.status) \(output.text)")
    }
}
