// SPDX-License-Identifier: Apache-2.0

import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Every input that a fuzzer ever found worth keeping goes through its parser again.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func replays(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let folder = Repository.path("Fuzz/Corpus/" + name)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!files.isEmpty, "a parser without a corpus")
        for file in files.sorted() {
            let input = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/" + file)))
            #expect(throws: Never.self, "\(name)/\(file)") { try target.run(input) }
        }
    }

    @Test func everyCorpusHasItsParser() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Fuzz/Corpus"))
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }
}
