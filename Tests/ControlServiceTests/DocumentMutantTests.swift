// SPDX-License-Identifier: Apache-2.0

import ControlService
import Foundation
import TestSupport
import Testing

/// Bodies and timestamps that are nearly right: they are read or refused, and nothing else happens.
@Suite struct DocumentMutantTests {
    private func seeds(_ name: String) throws -> [[UInt8]] {
        let folder = Repository.path("Fuzz/Corpus/" + name)
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
            try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)))
        }
    }

    /// One to four bytes are replaced, put in, taken out or doubled.
    private func mutant(_ seed: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let signs = Array("\"\\{}[]:,*@.-+TZ 0195ae<>\u{e9}\0".utf8)
            let sign = signs[Int.random(in: 0..<signs.count, using: &random)]
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = sign
            case 1: bytes.insert(sign, at: place)
            case 2: bytes.remove(at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(place + 8, bytes.count)], at: place)
            }
        }
        return bytes
    }

    @Test func documents() throws {
        var random = Trials.generator("control.documents")
        let seeds = try seeds("rest-document")
        for number in 0..<Trials.count(2_000, full: 200_000) {
            try APIDocuments.tryAll(mutant(seeds[number % seeds.count], &random))
        }
    }

    @Test func timestamps() throws {
        var random = Trials.generator("control.timestamps")
        let seeds = try seeds("timestamp")
        for number in 0..<Trials.count(20_000, full: 1_000_000) {
            let text = String(decoding: mutant(seeds[number % seeds.count], &random), as: UTF8.self)
            guard let written = APIDocuments.timestamp(text) else { continue }
            #expect(APIDocuments.timestamp(written) == written, "\(text)")
        }
    }
}
