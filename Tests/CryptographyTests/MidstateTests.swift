// SPDX-License-Identifier: Apache-2.0

import Bytes
import Diagnostics
import TestSupport
import Testing

@testable import Cryptography

@Suite struct MidstateTests {
    static let algorithms: [DigestAlgorithm] = [.sha256, .sha384, .sha512]

    static func midstate(of text: [UInt8], _ algorithm: DigestAlgorithm) throws -> Midstate {
        var running = RunningDigest(algorithm)
        running.update(text.span)
        return try running.midstate()
    }

    /// A state taken at any point, sent as bytes and resumed, ends in the digest of the whole.
    @Test(arguments: algorithms)
    func resumesAnywhere(_ algorithm: DigestAlgorithm) throws {
        let text = DigestTests.text(300)
        let whole = Digest(hashing: text.span, with: algorithm)
        for place in 0...300 {
            let encoded = try Self.midstate(of: Array(text[..<place]), algorithm).encoded
            let midstate = try Midstate(decoding: encoded.span)
            #expect(midstate.encoded == encoded)
            #expect(midstate.count == UInt64(place))
            #expect(midstate.tail.count == place % algorithm.blockCount)
            var running = RunningDigest(resuming: midstate)
            #expect(running.finish() == Digest(hashing: Array(text[..<place]).span, with: algorithm))
            let rest = Array(text[place...])
            running.update(rest.span)
            #expect(running.finish() == whole)
        }
    }

    /// The same states from a compression function written out in Python, and its digests from ours.
    @Test func agreesWithPythonBothWays() throws {
        let lengths = [0, 1, 63, 64, 65, 127, 128, 129, 200, 256, 300]
        let output = try Command.python(Self.reference, arguments: lengths.map(String.init)).text
        var seen = 0
        for line in output.split(separator: "\n") {
            // algorithm, length, midstate, digest of the text and " and more"
            let words = line.split(separator: " ").map(String.init)
            let algorithm = try #require(DigestAlgorithm(rawValue: words[0]))
            let text = DigestTests.text(try #require(Int(words[1])))
            #expect(Hex.encode(try Self.midstate(of: text, algorithm).encoded) == words[2])
            let encoded = try Hex.decode(words[2])
            var running = RunningDigest(resuming: try Midstate(decoding: encoded.span))
            running.update(Array(" and more".utf8).span)
            #expect(running.finish().description == words[3])
            seen += 1
        }
        #expect(seen == 3 * lengths.count)
    }

    /// What follows from the definition: the chaining words after a text with its padding are the text's digest.
    @Test(arguments: [DigestAlgorithm.sha256, .sha512])
    func chainingWordsOfAPaddedTextAreItsDigest(_ algorithm: DigestAlgorithm) throws {
        let text = DigestTests.text(70)
        let width = algorithm == .sha256 ? 8 : 16
        var padded = text + [0x80]
        while (padded.count + width) % algorithm.blockCount != 0 { padded.append(0) }
        padded += [UInt8](repeating: 0, count: width - 2) + [UInt8(560 >> 8), UInt8(560 & 255)]
        let encoded = try Self.midstate(of: padded, algorithm).encoded
        #expect(Array(encoded[2..<2 + algorithm.count]) == Digest(hashing: text.span, with: algorithm).bytes)
    }

    @Test func encodesWithinTheDocumentedLengths() throws {
        let text = DigestTests.text(255)
        #expect(try Self.midstate(of: [], .sha256).encoded.count == 43)
        #expect(try Self.midstate(of: Array(text[..<63]), .sha256).encoded.count == 106)
        #expect(try Self.midstate(of: [], .sha384).encoded.count == 75)
        #expect(try Self.midstate(of: text, .sha512).encoded.count == 202)
    }

    @Test(arguments: [DigestAlgorithm.weakMD5, .weakSHA1, .sha224])
    func otherAlgorithmsHaveNone(_ algorithm: DigestAlgorithm) {
        #expect(throws: CryptographyError.self) { try RunningDigest(algorithm).midstate() }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var message: String
        var change: @Sendable (inout [UInt8]) -> Void
    }

    /// Changes to a good SHA-256 state of 100 bytes: version, algorithm, 32 chaining, 8 count, 36, 36 tail.
    static let bad: [Bad] = [
        Bad(testDescription: "empty", message: "truncated") { $0 = [] },
        Bad(testDescription: "version 0", message: "version 0 is unknown") { $0[0] = 0 },
        Bad(testDescription: "version 2", message: "version 2 is unknown") { $0[0] = 2 },
        Bad(testDescription: "algorithm 0", message: "algorithm 0 is unknown") { $0[1] = 0 },
        Bad(testDescription: "algorithm 4", message: "algorithm 4 is unknown") { $0[1] = 4 },
        Bad(testDescription: "too short for SHA-512", message: "at byte") { $0[1] = 3 },
        Bad(testDescription: "cut in the chaining words", message: "truncated") { $0.removeLast(60) },
        Bad(testDescription: "cut in the tail", message: "truncated") { $0.removeLast() },
        Bad(testDescription: "one byte more", message: "unexpected bytes") { $0.append(0) },
        Bad(testDescription: "huge count", message: "is too large") { $0[34] = 0x20 },
        Bad(testDescription: "largest count", message: "is too large") {
            $0.replaceSubrange(34..<42, with: [UInt8](repeating: 255, count: 8))
        },
        Bad(testDescription: "count does not fit the tail", message: "a tail of 36 bytes") { $0[41] += 1 },
        Bad(testDescription: "length does not fit the count", message: "a tail of 35 bytes") {
            $0[42] = 35; $0.removeLast()
        },
        Bad(testDescription: "length of a block", message: "a tail of 64 bytes") {
            $0 = Array($0[..<41]) + [64, 64] + [UInt8](repeating: 0, count: 64)
        },
        Bad(testDescription: "false start", message: "not the initial ones") { $0[41] = 36 },
    ]

    @Test(arguments: bad)
    func refuses(_ bad: Bad) throws {
        var encoded = try Self.midstate(of: DigestTests.text(100), .sha256).encoded
        #expect(throws: Never.self) { try Midstate(decoding: encoded.span, minimumBlocks: 1) }
        bad.change(&encoded)
        let error = #expect(throws: CryptographyError.self) { try Midstate(decoding: encoded.span) }
        #expect(error?.message.contains(bad.message) == true, "\(error?.message ?? "")")
        #expect(error?.code.id == "bad-midstate")
    }

    @Test(arguments: algorithms)
    func askedForAFullBlock(_ algorithm: DigestAlgorithm) throws {
        let block = algorithm.blockCount
        let short = try Self.midstate(of: DigestTests.text(block - 1), algorithm).encoded
        let full = try Self.midstate(of: DigestTests.text(block), algorithm).encoded
        #expect(throws: CryptographyError.self) { try Midstate(decoding: short.span, minimumBlocks: 1) }
        #expect(try Midstate(decoding: short.span).count == UInt64(block - 1))
        #expect(try Midstate(decoding: full.span, minimumBlocks: 1).tail.isEmpty)
    }

    /// Past 4 GiB, where the library's bit counter of SHA-256 goes over to its second word.
    @Test func countsFar() throws {
        var encoded = try Self.midstate(of: DigestTests.text(64), .sha256).encoded
        encoded[37] = 1
        encoded[34] = 0x1f
        let midstate = try Midstate(decoding: encoded.span)
        #expect(midstate.count == 0x1f00_0001_0000_0040)
        #expect(try RunningDigest(resuming: midstate).midstate() == midstate)
    }

    /// SHA-2 from its definition: constants from the roots of primes, then the rounds.
    static let reference = """
        import struct, sys
        from math import isqrt

        def cube_root(n):
            low, high = 0, 1 << (n.bit_length() // 3 + 1)
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if middle ** 3 <= n else (low, middle - 1)
            return low

        primes = [p for p in range(2, 420) if all(p % q for q in range(2, isqrt(p) + 1))]

        class Family:
            def __init__(self, bits, rounds, sums, steps):
                self.bits, self.sums, self.steps = bits, sums, steps
                self.mask, self.block, self.letter = (1 << bits) - 1, 2 * bits, 'I' if bits == 32 else 'Q'
                self.k = [cube_root(p << (3 * bits)) & self.mask for p in primes[:rounds]]
            def turn(self, x, n): return (x >> n | x << (self.bits - n)) & self.mask
            def sum(self, x, r): return self.turn(x, r[0]) ^ self.turn(x, r[1]) ^ self.turn(x, r[2])
            def step(self, x, r): return self.turn(x, r[0]) ^ self.turn(x, r[1]) ^ x >> r[2]
            def compress(self, state, block):
                w = list(struct.unpack('>16' + self.letter, block))
                for i in range(16, len(self.k)):
                    w.append(self.step(w[i - 2], self.steps[1]) + w[i - 7]
                             + self.step(w[i - 15], self.steps[0]) + w[i - 16] & self.mask)
                a, b, c, d, e, f, g, h = state
                for k, m in zip(self.k, w):
                    one = h + self.sum(e, self.sums[1]) + (e & f ^ ~e & g) + k + m
                    two = self.sum(a, self.sums[0]) + (a & b ^ a & c ^ b & c)
                    a, b, c, d, e, f, g, h = one + two & self.mask, a, b, c, d + one & self.mask, e, f, g
                return [x + y & self.mask for x, y in zip(state, (a, b, c, d, e, f, g, h))]
            def hash(self, state, text):
                while len(text) >= self.block:
                    state, text = self.compress(state, text[:self.block]), text[self.block:]
                return state, text

        short = Family(32, 64, ((2, 13, 22), (6, 11, 25)), ((7, 18, 3), (17, 19, 10)))
        long = Family(64, 80, ((28, 34, 39), (14, 18, 41)), ((1, 8, 7), (19, 61, 6)))
        root = lambda p, bits: isqrt(p << 2 * bits) & (1 << bits) - 1
        algorithms = [
            ('sha256', 1, short, [root(p, 32) for p in primes[:8]], 32),
            ('sha384', 2, long, [root(p, 64) for p in primes[8:16]], 48),
            ('sha512', 3, long, [root(p, 64) for p in primes[:8]], 64)]

        for name, number, family, initial, size in algorithms:
            pack = lambda words: struct.pack('>8' + family.letter, *words)
            for n in map(int, sys.argv[1:]):
                text = bytes((i * 7 + i // 251) & 255 for i in range(n))
                state, tail = family.hash(initial, text)
                midstate = bytes([1, number]) + pack(state) + struct.pack('>QB', n, len(tail)) + tail
                whole = text + b' and more'
                width = family.bits // 4
                pad = b'\\x80' + bytes((-len(whole) - 1 - width) % family.block)
                end, rest = family.hash(initial, whole + pad + (8 * len(whole)).to_bytes(width, 'big'))
                assert rest == b''
                print(name, n, midstate.hex(), pack(end)[:size].hex())
        """
}
