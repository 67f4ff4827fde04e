// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import TestSupport
import Testing

/// Random values, whole and spoiled, through this reader and two others.
@Suite struct OracleTests {
    static let kinds = [
        "boolean", "bytes", "bits", "octets", "oid", "utf8", "printable", "ia5", "utc", "generalized",
        "numbers",
        "set",
    ]

    /// Accepted, refused and read as Python's `cryptography` does, which is strict about DER too. It differs in taking
    /// U+0000 in text and fractions of a second, and not knowing the year 0; the script evens that out.
    @Test func agreesWithCryptography() throws {
        var random = Trials.generator("asn1.cryptography")
        let cases = try (0..<Trials.count(3_000, full: 200_000)).map { _ in
            let kind = try #require(Self.kinds.randomElement(using: &random))
            return (kind, Self.spoil(try Self.element(kind, &random), &random))
        }
        let input = cases.map { "\($0.0) \(Hex.encode($0.1))\n" }.joined()
        let answers = try Command.python(Self.oracle, input: Array(input.utf8)).text
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        try #require(answers.count == cases.count)
        var accepted = 0
        for ((kind, bytes), answer) in zip(cases, answers) {
            let own = try? Self.whole(kind, bytes)
            accepted += own == nil ? 0 : 1
            let text = own.map { kind == "set" ? $0 : Hex.encode(Array($0.utf8)) } ?? "-"
            #expect(text == answer, "\(kind) \(Hex.encode(bytes)): \(own ?? "refused")")
        }
        #expect(accepted > cases.count / 3 && accepted < cases.count)
    }

    /// openssl reads BER, so it takes whatever we take, and lists the same elements at the same places.
    @Test func opensslListsTheSameElements() throws {
        var random = Trials.generator("asn1.openssl")
        let folder = try TemporaryFolder()
        for _ in 0..<Trials.count(30, full: 1_000) {
            let bytes = Self.spoil(try Self.tree(3, &random), &random)
            try folder.write("der", bytes)
            let output = try Command.run([
                "openssl", "asn1parse", "-inform", "DER", "-in", folder.path + "/der",
            ])
            guard let own = try? Self.listing(bytes) else { continue }
            // One document is what openssl prints before it goes on behind it.
            let lines = output.stdout.split(separator: UInt8(ascii: "\n")).map {
                String(decoding: $0, as: UTF8.self)
            }
            let theirs = lines.compactMap { line -> String? in
                let parts = line.split(whereSeparator: { " :=".contains($0) })
                guard parts.count > 6, let place = Int(parts[0]), parts[1] == "d" else { return nil }
                guard let header = Int(parts[4]), let length = Int(parts[6]) else { return nil }
                return "\(place) \(parts[2]) \(header) \(length)"
            }
            #expect(output.status == 0, "\(Hex.encode(bytes)): \(output.errorText)")
            #expect(theirs == own, "\(Hex.encode(bytes))")
        }
    }

    @Test func whateverIsReadIsWrittenTheSame() throws {
        var random = Trials.generator("asn1.again")
        var read = 0
        for _ in 0..<Trials.count(2_000, full: 200_000) {
            let bytes = Self.spoil(try Self.tree(4, &random), &random)
            guard let tree = try? Tree(der: bytes) else { continue }
            read += 1
            let again = try tree.der()
            #expect(again == bytes)
        }
        #expect(read > 0)
    }

    // MARK: Making

    static func element(_ kind: String, _ random: inout SeededGenerator) throws -> [UInt8] {
        var writer = DERWriter()
        let count = Int.random(in: 0...12, using: &random)
        let any = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let ascii = String(decoding: any.map { 0x20 + $0 % 95 }, as: UTF8.self)
        let number = Int.random(in: .min ... .max, using: &random) >> Int.random(in: 0...63, using: &random)
        switch kind {
        case "boolean": writer.boolean(number < 0)
        case "bytes": writer.integer(contents: any)
        case "bits":
            let unused = any.last.map { min(7, $0.trailingZeroBitCount) } ?? 0
            writer.bitString(try #require(BitString(any, unusedBits: unused)))
        case "octets": writer.octetString(any)
        case "oid":
            let arcs = (0..<count).map { _ in
                ".\(UInt32.random(in: .min ... .max, using: &random) >> UInt32.random(in: 0..<32, using: &random))"
            }
            let top = ["0.39", "1.0", "2.40", "2.999"].randomElement(using: &random) ?? ""
            writer.oid(try #require(OID(top + arcs.joined())))
        case "utf8": try writer.utf8String(ascii + (count > 6 ? "é€𝄞" : ""))
        case "printable": try writer.printableString(ascii.filter { !"!\"#$%&*;<>@[\\]^_`{|}~".contains($0) })
        case "ia5": try writer.ia5String(ascii)
        case "utc":
            writer.utcTime(try #require(ASN1Time(secondsSince1970: Int64(abs(number) % 2_524_608_000))))
        case "generalized":
            let seconds = Int64(abs(number / 2) % 253_402_300_800)
            writer.generalizedTime(try #require(ASN1Time(secondsSince1970: seconds)))
        case "numbers": writer.sequence { writer in for byte in any { writer.integer(Int(byte) * 3 - 300) } }
        default: writer.setOf(any) { $0.integer(Int($1) * 3 - 300) }
        }
        return writer.bytes
    }

    static func tree(_ depth: Int, _ random: inout SeededGenerator) throws -> [UInt8] {
        guard depth > 0, Int.random(in: 0..<4, using: &random) > 0 else {
            return try element(
                ["boolean", "bytes", "octets", "utf8"].randomElement(using: &random) ?? "", &random)
        }
        let tags: [DERTag] = [.sequence, .set, .constructed(3), DERTag(.application, 99, constructed: true)]
        let tag = tags.randomElement(using: &random) ?? .sequence
        var writer = DERWriter()
        try writer.element(tag) { writer in
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                writer.encoded(try tree(depth - 1, &random))
            }
        }
        return writer.bytes
    }

    static func spoil(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        guard Bool.random(using: &random) else { return bytes }
        var spoiled = bytes
        let place = Int.random(in: spoiled.indices, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: spoiled.remove(at: place)
        case 1: spoiled.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
        case 2: spoiled[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 3: spoiled.insert(0x81, at: min(1, place))
        default: spoiled[place] = [0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
        }
        return spoiled
    }

    // MARK: Reading

    static func whole(_ kind: String, _ bytes: [UInt8]) throws -> String {
        var reader = DERReader(bytes.span, DER())
        let text = try Reading.read(kind, &reader)
        try reader.expectEnd()
        return kind == "set" ? "set" : text
    }

    static func listing(_ bytes: [UInt8]) throws -> [String] {
        func list(_ reader: inout DERReader, _ depth: Int) throws -> [String] {
            let start = reader.offset
            var probe = reader
            let end = try probe.elementRange().upperBound
            guard let tag = reader.nextTag else { return [] }
            guard tag.isConstructed else {
                let contents = try reader.octetString(tag)
                return ["\(start) \(depth) \(end - start - contents.count) \(contents.count)"]
            }
            var first = start
            let inner = try reader.sequence(tag) { reader in
                first = reader.offset
                var inner: [String] = []
                while !reader.isAtEnd { inner += try list(&reader, depth + 1) }
                return inner
            }
            return ["\(start) \(depth) \(first - start) \(end - first)"] + inner
        }
        var reader = DERReader(bytes.span, DER())
        let lines = try list(&reader, 0)
        try reader.expectEnd()
        return lines
    }

    static let oracle = """
        import sys
        from cryptography import x509
        from cryptography.hazmat import asn1
        @asn1.sequence
        class Integers: value: list[int]
        @asn1.sequence
        class Set: value: asn1.SetOf[int]
        def signed(n): return n.to_bytes((n if n >= 0 else ~n).bit_length() // 8 + 1, 'big', signed=True).hex()
        def bits(b):
            data = b.as_bytes()
            return ''.join(f'{x:08b}' for x in data)[:len(data) * 8 - b.padding_bits()]
        def text(s):
            s = s if isinstance(s, str) else s.as_str()
            if '\\0' in s: raise ValueError
            return s
        def time(t):
            d = t.as_datetime()
            if d.microsecond: raise ValueError
            return d.strftime('%Y-%m-%dT%H:%M:%SZ').rjust(20, '0')
        def small(values):
            if any(not -2**63 <= n < 2**63 for n in values): raise ValueError
            return '[' + ', '.join(map(str, values)) + ']'
        kinds = {
            'boolean': (bool, lambda b: str(b).lower()), 'bytes': (int, signed), 'bits': (asn1.BitString, bits),
            'octets': (bytes, bytes.hex), 'oid': (x509.ObjectIdentifier, lambda o: o.dotted_string),
            'utf8': (str, text), 'printable': (asn1.PrintableString, text), 'ia5': (asn1.IA5String, text),
            'utc': (asn1.UTCTime, time), 'generalized': (asn1.GeneralizedTime, time),
            'numbers': (Integers, lambda s: small(s.value)), 'set': (Set, lambda s: small(s.value.as_list()) and 'set'),
        }
        for line in sys.stdin:
            kind, data = (line.rstrip('\\n') + ' ').split(' ')[:2]
            type, show = kinds[kind]
            data = bytes.fromhex(data)
            if kind in ('numbers', 'set'): data = bytes([0x30, len(data)]) + data
            try:
                shown = show(asn1.decode_der(type, data))
                print(shown if kind == 'set' else shown.encode().hex())
            except ValueError:
                print('-')
        """
}
