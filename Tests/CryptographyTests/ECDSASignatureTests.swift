// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@Suite struct ECDSASignatureTests {
    /// Both forms, and every way back, for many signatures; Python reads the same numbers.
    @Test(arguments: [KeyAlgorithm.p256, .p384])
    func bothFormsAgree(_ algorithm: KeyAlgorithm) throws {
        let handle = try SigningHandle(TestKeys.key(algorithm), .ecdsa(.sha256))
        var input: [String] = []
        var ours: [String] = []
        // Enough for numbers with a leading zero byte, some of them before a set bit.
        for number in 0..<Trials.count(300, full: 3000) {
            let digest = Digest(hashing: Array("\(number)".utf8).span, with: .sha256)
            let der = try handle.sign(digest)
            let signature = try ECDSASignature(der: der.span, for: algorithm)
            #expect(signature.der == der)
            #expect(signature.raw.count == algorithm.bits / 4)
            #expect(try ECDSASignature(raw: signature.raw.span, for: algorithm) == signature)
            input.append(Hex.encode(der))
            ours.append(Hex.encode(signature.r) + " " + Hex.encode(signature.s))
        }
        let script = """
            import sys
            from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
            for line in sys.stdin.read().split('\\n'):
                r, s = decode_dss_signature(bytes.fromhex(line))
                print(f'{r:0\(algorithm.bits / 4)x} {s:0\(algorithm.bits / 4)x}')
            """
        let theirs = try Command.python(script, input: Array(input.joined(separator: "\n").utf8)).text
        let isSame = theirs.split(separator: "\n").map(String.init) == ours
        #expect(isSame)
    }

    @Test func smallNumbersHaveTheirShortestForm() throws {
        var raw = [UInt8](repeating: 0, count: 64)
        #expect(try ECDSASignature(raw: raw.span, for: .p256).der == [0x30, 6, 2, 1, 0, 2, 1, 0])
        raw[31] = 0x80
        raw[63] = 0x7f
        let der = try ECDSASignature(raw: raw.span, for: .p256).der
        #expect(der == [0x30, 7, 2, 2, 0, 0x80, 2, 1, 0x7f])
        #expect(try ECDSASignature(der: der.span, for: .p256).raw == raw)
    }

    @Test(
        arguments: [
            [], [0x30], [0x31, 6, 2, 1, 1, 2, 1, 1], [0x30, 7, 2, 1, 1, 2, 1, 1],
            [0x30, 5, 2, 1, 1, 2, 1, 1],
            [0x30, 0x81, 6, 2, 1, 1, 2, 1, 1], [0x30, 6, 3, 1, 1, 2, 1, 1], [0x30, 6, 2, 1, 1, 3, 1, 1],
            [0x30, 5, 2, 0, 2, 1, 1], [0x30, 6, 2, 1, 0x80, 2, 1, 1], [0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            [0x30, 3, 2, 1, 1], [0x30, 7, 2, 1, 1, 2, 1, 1, 0], [0x30, 6, 2, 9, 1, 2, 1, 1],
            [0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            [0x30, 38, 2, 33] + [UInt8](repeating: 1, count: 33) + [2, 1, 1],
            [0x30, 39, 2, 34] + [UInt8](repeating: 0, count: 34) + [2, 1, 1],
        ] as [[UInt8]])
    func refuses(_ der: [UInt8]) {
        let error = #expect(throws: CryptographyError.self) { try ECDSASignature(der: der.span, for: .p256) }
        #expect(error?.code == .badSignatureEncoding)
    }

    @Test func refusesWrongSizesAndKeys() throws {
        let raw = [UInt8](repeating: 1, count: 63)
        #expect(throws: CryptographyError.self) { try ECDSASignature(raw: raw.span, for: .p256) }
        #expect(throws: CryptographyError.self) { try ECDSASignature(raw: raw.span, for: .p384) }
        #expect(throws: CryptographyError.self) { try ECDSASignature(der: raw.span, for: .ed25519) }
    }
}
