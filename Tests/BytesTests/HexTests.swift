// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct HexTests {
    @Test(
        arguments: [
            ("", []), ("00", [0]), ("0aff", [10, 255]), ("deadbeef", [0xde, 0xad, 0xbe, 0xef]),
        ] as [(String, [UInt8])])
    func keepsTheCanonicalForm(_ text: String, _ bytes: [UInt8]) throws {
        let decoded = try Hex.decode(text)
        #expect(decoded == bytes)
        #expect(Hex.encode(bytes) == text)
        #expect(Hex.encode(bytes, .upper) == text.uppercased())
        let upper = try Hex.decode(text.uppercased(), .upper)
        #expect(upper == bytes)
    }

    @Test(
        arguments: [
            ("0", .badLength, 1), ("abc", .badLength, 3), ("AB", .badCharacter, 0), ("aB", .badCharacter, 1),
            ("0x", .badCharacter, 1), (" 00", .badLength, 3), ("00 1", .badCharacter, 2),
            ("00\n", .badLength, 3), ("0g", .badCharacter, 1), ("/0", .badCharacter, 0),
            (":0", .badCharacter, 0), ("`0", .badCharacter, 0), ("0\u{0}", .badCharacter, 1),
            ("é", .badCharacter, 0),
        ] as [(String, BytesError.Code, Int)])
    func refuses(_ text: String, _ code: BytesError.Code, _ place: Int) {
        #expect(throws: BytesError(code, at: place)) { try Hex.decode(text) }
    }

    @Test func takesOneSortOfLetters() {
        #expect(throws: BytesError(.badCharacter, at: 2)) { try Hex.decode("ABcD", .upper) }
    }

    @Test func decodesInPlace() throws {
        let text = Array("0001ff".utf8)
        let bytes = try [UInt8](capacity: 4) { (output) throws(BytesError) in
            output.append(7)
            try Hex.decode(text.span, into: &output)
        }
        #expect(bytes == [7, 0, 1, 255])
    }

    @Test(arguments: ["0001ff", "00fg"])
    func leavesTheOutputWhenItThrows(_ text: String) {
        let bytes = [UInt8](capacity: 3) { output in
            output.append(7)
            #expect(throws: BytesError.self) {
                try Hex.decode(Array(text.utf8).span, into: &output)
            }
        }
        #expect(bytes == [7])
    }

    @Test func everyPairOfCharacters() {
        let digits = Array("0123456789abcdef".utf8)
        var taken = 0
        for high in UInt8.min ... .max {
            for low in UInt8.min ... .max {
                let decoded = try? Hex.decode([high, low].span)
                #expect((decoded != nil) == (digits.contains(high) && digits.contains(low)))
                if decoded != nil { taken += 1 }
            }
        }
        #expect(taken == 256)
    }
}
