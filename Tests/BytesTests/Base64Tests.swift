// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct Base64Tests {
    @Test(
        arguments: [
            (.standard, "", ""), (.standard, "f", "Zg=="), (.standard, "fo", "Zm8="),
            (.standard, "foo", "Zm9v"),
            (.standard, "fooba", "Zm9vYmE="), (.standardUnpadded, "fooba", "Zm9vYmE"),
            (.standard, "~~~???", "fn5+Pz8/"), (.url, "~~~???", "fn5-Pz8_"), (.url, "f", "Zg"),
            (.urlPadded, "fo", "Zm8="),
        ] as [(Base64, String, String)])
    func keepsTheCanonicalForm(_ variant: Base64, _ plain: String, _ text: String) throws {
        #expect(variant.encode(Array(plain.utf8)) == text)
        let decoded = try variant.decode(text)
        #expect(decoded == Array(plain.utf8))
    }

    @Test(
        arguments: [
            (.standard, "Zg", .badPadding, 2), (.standard, "Zg=", .badPadding, 3),
            (.standard, "Zg===", .badPadding, 5), (.standard, "====", .badCharacter, 0),
            (.standard, "Z===", .badCharacter, 1), (.standard, "=", .badPadding, 1),
            (.standard, "Zh==", .notCanonical, 1), (.standard, "Zm9=", .notCanonical, 2),
            (.standard, "Zg==Zg==", .badCharacter, 2), (.standard, "Zm9v\n", .badPadding, 5),
            (.standard, "Zm\n9", .badCharacter, 2), (.standard, " Zm9", .badCharacter, 0),
            (.standard, "fn5-", .badCharacter, 3), (.standard, "Pz8_", .badCharacter, 3),
            (.url, "fn5+", .badCharacter, 3), (.url, "Pz8/", .badCharacter, 3),
            (.url, "Zg==", .badCharacter, 2), (.url, "Z", .badLength, 1), (.url, "Zm9vZ", .badLength, 5),
            (.url, "Zh", .notCanonical, 1), (.url, "Zm9", .notCanonical, 2),
            (.urlPadded, "Zg", .badPadding, 2), (.standard, "Zg=A", .badCharacter, 2),
            (.standard, "\u{0}\u{0}\u{0}\u{0}", .badCharacter, 0), (.standard, "éé", .badCharacter, 0),
        ] as [(Base64, String, BytesError.Code, Int)])
    func refuses(_ variant: Base64, _ text: String, _ code: BytesError.Code, _ place: Int) {
        #expect(throws: BytesError(code, at: place)) { try variant.decode(text) }
    }

    @Test(arguments: [Base64.standard, .standardUnpadded, .url, .urlPadded])
    func knowsItsSizes(_ variant: Base64) throws {
        for count in 0..<20 {
            let bytes = [UInt8](repeating: 0xa5, count: count)
            let text = Array(variant.encode(bytes).utf8)
            #expect(text.count == variant.encodedCount(count))
            #expect((count...count + 2).contains(variant.decodedCapacity(text.count)))
            let again = try [UInt8](capacity: text.count) { (output) throws(BytesError) in
                try variant.encode(bytes.span, into: &output)
            }
            #expect(again == text)
            let decoded = try [UInt8](capacity: count) { (output) throws(BytesError) in
                try variant.decode(text.span, into: &output)
            }
            #expect(decoded == bytes)
        }
    }

    @Test(arguments: ["Zm9v", "Zm9", "Zh=="])
    func leavesTheOutputWhenItThrows(_ text: String) {
        let bytes = [UInt8](capacity: 3) { output in
            output.append(7)
            #expect(throws: BytesError.self) {
                try Base64.standard.decode(Array(text.utf8).span, into: &output)
            }
            #expect(throws: BytesError.self) {
                try Base64.standard.encode(Array(text.utf8).span, into: &output)
            }
        }
        #expect(bytes == [7])
    }

    /// Python decodes in its own way and encodes again: a text is canonical when it comes back the same.
    @Test func agreesWithPython() throws {
        var random = Trials.generator("base64")
        let alphabet = Array("ABCxyz0189+/-_=g\n ".utf8)
        var texts: [String] = []
        for _ in 0..<Trials.count(2_000, full: 100_000) {
            var bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes = bytes.map { alphabet[Int($0) % alphabet.count] }
            case 1: bytes = Array(Hex.encode(bytes).utf8)
            case 2: bytes = Array(Base64.standard.encode(bytes).utf8)
            case 3: bytes = Array(Base64.url.encode(bytes).utf8)
            case 4: bytes = Array(Base64.standardUnpadded.encode(bytes).utf8)
            default: bytes = Array(Base64.urlPadded.encode(bytes).utf8)
            }
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] =
                    alphabet[Int.random(in: alphabet.indices, using: &random)]
            }
            texts.append(String(decoding: bytes, as: UTF8.self))
        }
        let input = texts.map { Hex.encode(Array($0.utf8)) }.joined(separator: "\n") + "\n"
        let answers = try Command.python(Self.oracle, input: Array(input.utf8)).text
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        try #require(answers.count == texts.count)
        var accepted = 0
        for (text, answer) in zip(texts, answers) {
            let own: [[UInt8]?] = [
                try? Hex.decode(text), try? Base64.standard.decode(text),
                try? Base64.standardUnpadded.decode(text), try? Base64.url.decode(text),
                try? Base64.urlPadded.decode(text),
            ]
            accepted += own.count { $0 != nil }
            #expect(own.map { $0.map { Hex.encode($0) } ?? "-" }.joined(separator: " ") == answer, "\(text)")
        }
        #expect(accepted > texts.count / 4)
    }

    static let oracle = """
        import sys, base64, binascii
        def canonical(text, decode, encode):
            try:
                data = decode(text)
                return data.hex() if encode(data) == text else '-'
            except (ValueError, binascii.Error):
                return '-'
        def pad(text): return text + b'=' * (-len(text) % 4)
        def bare(encode): return lambda data: encode(data).rstrip(b'=')
        b, u = base64.b64encode, base64.urlsafe_b64encode
        B, U = base64.b64decode, base64.urlsafe_b64decode
        for line in sys.stdin:
            text = bytes.fromhex(line.strip())
            print(canonical(text, binascii.unhexlify, binascii.hexlify), canonical(text, B, b),
                canonical(text, lambda t: B(pad(t)), bare(b)), canonical(text, lambda t: U(pad(t)), bare(u)),
                canonical(text, U, u))
        """
}
