// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@Suite struct DigestTests {
    /// Lengths around every border of blocks and of padding.
    static let lengths = [
        0, 1, 3, 55, 56, 57, 63, 64, 65, 111, 112, 113, 119, 120, 127, 128, 129, 191, 192, 255, 256, 257,
        1000,
    ]

    /// A text that Python makes in the same way.
    static func text(_ length: Int) -> [UInt8] { (0..<length).map { UInt8(($0 * 7 + $0 / 251) & 255) } }

    @Test func agreesWithPython() throws {
        let script = """
            import hashlib
            for name in ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']:
                for n in \(Self.lengths):
                    text = bytes((i * 7 + i // 251) & 255 for i in range(n))
                    print(name, n, hashlib.new(name, text).hexdigest())
            """
        var ours: [String] = []
        for algorithm in DigestAlgorithm.allCases {
            for length in Self.lengths {
                let text = Self.text(length)
                let digest = Digest(hashing: text.span, with: algorithm)
                ours.append("\(algorithm.rawValue) \(length) \(digest)")
                #expect(digest.bytes.count == algorithm.count)
            }
        }
        let theirs = try Command.python(script).text.split(separator: "\n").map(String.init)
        #expect(ours == theirs)
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func piecesMakeTheWhole(_ algorithm: DigestAlgorithm) {
        var random = Trials.generator("pieces." + algorithm.rawValue)
        for _ in 0..<Trials.count(50, full: 5000) {
            let text = (0..<Int.random(in: 0...700, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            var running = RunningDigest(algorithm)
            var rest = text[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int.random(in: 0...150, using: &random)))
                rest = rest.dropFirst(piece.count)
                running.update(piece.span)
            }
            #expect(running.finish() == Digest(hashing: text.span, with: algorithm))
        }
    }

    @Test func finishingLeavesTheComputationOpen() {
        let text = Self.text(100)
        var running = RunningDigest(.sha256)
        running.update(text.span)
        let first = running.finish()
        var branch = running
        branch.update(text.span)
        #expect(running.finish() == first)
        #expect(branch.finish() == Digest(hashing: (text + text).span, with: .sha256))
    }

    @Test func comparesByAlgorithmAndBytes() throws {
        let text = Self.text(10)
        let digest = Digest(hashing: text.span, with: .sha256)
        let again = try Digest(digest.bytes.span, of: .sha256)
        #expect(again == digest && again.hashValue == digest.hashValue)
        for place in 0..<32 {
            var other = digest.bytes
            other[place] ^= 1
            #expect(try Digest(other.span, of: .sha256) != digest)
        }
        #expect(Digest(hashing: text.span, with: .sha224) != digest)
    }

    @Test func refusesAWrongLength() throws {
        let bytes = [UInt8](repeating: 1, count: 31)
        let error = #expect(throws: CryptographyError.self) { try Digest(bytes.span, of: .sha256) }
        #expect(error?.message == "a sha256 digest has 31 bytes, expected 32")
        #expect(error?.code.id == "wrong-length")
    }
}
