// SPDX-License-Identifier: Apache-2.0

import Settings
import TestSupport
import Testing

/// This parser against Python's, which takes or refuses the same documents and reads the same values.
@Suite struct TOMLDifferentialTests {
    /// `taken` is the least share of documents that both have to take, so that the comparison means something.
    private func compare(_ documents: [[UInt8]], taken: Double = 0) throws {
        let verdicts = try TOMLOracle.judge(documents)
        try #require(verdicts.count == documents.count)
        let share = Double(verdicts.count { $0 != nil }) / Double(documents.count)
        #expect(share >= taken && share < 1, "\(share) of the documents are good")
        for (document, theirs) in zip(documents, verdicts) {
            let ours = (try? TOMLDocument(document)).map { CanonicalForm.of($0.root) }
            guard !TOMLOracle.agrees(ours, theirs) else { continue }
            Issue.record(
                """
                \(String(decoding: document, as: UTF8.self).debugDescription)
                ours:   \(ours ?? "refused")
                theirs: \(theirs ?? "refused")
                """)
        }
    }

    @Test func samples() throws {
        try compare((TOMLSamples.good + TOMLSamples.bad).map { Array($0.1.utf8) }, taken: 0.1)
    }

    @Test func invalidUTF8() throws {
        let tails: [[UInt8]] = [
            [0x80], [0xc0, 0x80], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff],
            [0xf0, 0x80, 0x80, 0x80], [0xc3, 0xa9], [0xf0, 0x9f, 0x94, 0x91],
        ]
        try compare(tails.flatMap { [Array("a='".utf8) + $0 + [0x27], [0x23] + $0] })
    }

    @Test func everyPrefixOfGoodDocuments() throws {
        try compare(
            TOMLSamples.good.flatMap { sample in
                let bytes = Array(sample.1.utf8)
                return bytes.indices.map { Array(bytes[..<$0]) }
            })
    }

    @Test func randomDocuments() throws {
        var generator = TOMLGenerator(random: Trials.generator("toml.documents"))
        try compare((0..<Trials.count(1_500, full: 40_000)).map { _ in generator.document() }, taken: 0.3)
    }

    @Test func damagedDocuments() throws {
        var generator = TOMLGenerator(random: Trials.generator("toml.mutants"))
        let samples = TOMLSamples.good.map { Array($0.1.utf8) }
        try compare(
            (0..<Trials.count(3_000, full: 80_000)).map { count in
                let original = count % 3 == 0 ? generator.document() : samples[count % samples.count]
                return generator.mutant(of: original)
            }, taken: 0.1)
    }
}
