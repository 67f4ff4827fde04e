// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What the README promises.
@Suite(.serialized) struct ReadmeTests {
    /// The commands of its first five minutes, to the letter, in a checkout of their own whose programs are built.
    @Test func theFirstFiveMinutesAreTrue() throws {
        let readme = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        let part = readme.components(separatedBy: "## The first five minutes").dropFirst().first ?? ""
        let blocks = (part.components(separatedBy: "\n## ").first ?? "").components(separatedBy: "```")
        let commands = stride(from: 1, to: blocks.count, by: 2).map { blocks[$0] }.filter {
            $0.hasPrefix("bash\n")
        }
        .map { $0.dropFirst(5) }.joined()
        #expect(
            commands.contains("make up") && commands.contains("make down") && commands.contains("signet sign")
        )

        let checkout = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: Repository.root)
        where ![".build", ".run", ".git"].contains(name) {
            try FileManager.default.createSymbolicLink(
                atPath: checkout.path + "/" + name, withDestinationPath: Repository.path(name))
        }
        try FileManager.default.createDirectory(
            atPath: checkout.path + "/.build", withIntermediateDirectories: true)
        for (name, target) in [("release", Products.folder), ("tools", Repository.path(".build/tools"))] {
            try FileManager.default.createSymbolicLink(
                atPath: checkout.path + "/.build/" + name, withDestinationPath: target)
        }
        var environment = Command.environment
        environment["SIGNET_BIN"] = Products.folder
        let output = try Command.run(
            ["bash", "-euxc", commands], environment: environment, folder: checkout.path)
        #expect(output.status == 0, "\(output.text)\n\(output.errorText)")
        // Also after a failure.
        _ = try Command.run(["make", "down"], environment: environment, folder: checkout.path)
    }
}
