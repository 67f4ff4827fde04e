// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

/// Cluster keys are replaced while everything signs.
@Suite(.serialized) struct RotationLoadTests {
    private struct Count {
        var files = 0
        var failed = 0
        var said: [String] = []
    }

    /// Two control planes rotate side by side, both planes each time, while two clients sign over two data-servers. Nobody
    /// gets a signature less, and every row opens afterwards: those of signers, and those of authorities.
    @Test func twoRotateUnderSigningLoad() throws {
        let house = try House.open()
        let rotations = Trials.count(3, full: 100)
        let isOver = Lock(false)
        let counts = Lock(Count())
        let folder = try TemporaryFolder()
        let signers = (0..<2).map { number in
            Background {
                var round = 0
                while !isOver.withLock({ $0 }) || round < 2 {
                    let files = try (0..<20).map {
                        try folder.write("\(number)-\(round)-\($0)", "\(number) \(round) \($0)\n")
                    }
                    let key = round % 2 == 0 ? "packages" : "texts"
                    let output = try house.signet(["sign", "--key", key, "--detached"] + files)
                    let bad = files.count { !FileManager.default.fileExists(atPath: $0 + ".asc") }
                    counts.withLock { counts in
                        counts.files += files.count
                        counts.failed += bad
                        if output.status != 0 { counts.said.append(output.errorText) }
                    }
                    round += 1
                }
            }
        }
        let planes = (0..<2).map { _ in
            Background {
                for _ in 0..<rotations {
                    let said = try house.admin("cluster-key", "rotate").text
                    #expect(said.contains("new cluster key of the control plane"), "\(said)")
                }
            }
        }
        for plane in planes { try plane.wait() }
        isOver.withLock { $0 = true }
        for signer in signers { try signer.wait() }
        let done = counts.withLock { $0 }
        #expect(done.failed == 0 && done.said.isEmpty, "\(done)")
        #expect(done.files >= 80)
        print("rotation: \(2 * rotations) of both planes, \(done.files) signatures, \(done.failed) failed")

        // One more, by which every row is opened that is not under the newest key of its plane.
        #expect(try house.admin("cluster-key", "rotate").text.contains("rows sealed anew"))
        let keys = try house.sql("SELECT COUNT(*) FROM signing_key WHERE sealed IS NOT NULL")
        let newest = try house.sql(
            """
            SELECT COUNT(*) FROM signing_key WHERE sealed IS NOT NULL AND code_key =
            (SELECT id FROM signing_cluster_key ORDER BY created_at DESC LIMIT 1)
            """)
        #expect(keys == newest && Int(keys.trimmingCharacters(in: .newlines)) ?? 0 >= 3)
        let made = "after-rotation-\(UInt32.random(in: 0 ... .max))"
        try house.manage(
            "key", "generate", made, "--type", "module", "--algorithm", "rsa-2048", "--parent", "kernel-ca",
            "--expires", "30d")
        try house.manage("key", "list")
        try house.admin("audit", "verify")
        let file = try folder.write("last", "the last one\n")
        try house.manage("sign", "--key", "packages", "--detached", file)
    }

    /// A thread, since all of it waits for other programs.
    private final class Background: Sendable {
        private let outcome = Lock<Result<Void, any Error>?>(nil)

        init(_ body: @escaping @Sendable () throws -> Void) {
            Thread.detachNewThread { [outcome = self] in
                let result = Result { try body() }
                outcome.finish(result)
            }
        }

        private func finish(_ result: Result<Void, any Error>) {
            outcome.withLock { $0 = result }
            outcome.wakeAll()
        }

        func wait() throws { try outcome.withLock(when: { $0 != nil }) { $0 }??.get() }
    }
}
