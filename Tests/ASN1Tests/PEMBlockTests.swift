// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import TestSupport
import Testing

@Suite struct PEMTests {
    static let full = String(repeating: "A", count: 64)

    @Test(
        arguments: [
            ("-----BEGIN X-----\nAQID\n-----END X-----\n", ["X 010203"]),
            ("-----BEGIN X-----\r\nAQID\r\n-----END X-----\r\n", ["X 010203"]),
            ("-----BEGIN X-----\nAQID\n-----END X-----", ["X 010203"]),
            ("-----BEGIN A-B C1-----\nAQ==\n-----END A-B C1-----\n", ["A-B C1 01"]),
            (
                "text\n\n-----BEGIN X-----\nAQ==\n-----END X-----\n more - text\n-----BEGIN Y-----\nAgM=\n-----END Y-----\n",
                ["X 01", "Y 0203"]
            ),
            ("", []), ("nothing\nhere", []),
            ("-----BEGIN X-----\n\(full)\n-----END X-----\n", ["X " + String(repeating: "00", count: 48)]),
            (
                "-----BEGIN X-----\n\(full)\nAQ==\n-----END X-----\n",
                ["X " + String(repeating: "00", count: 48) + "01"]
            ),
        ])
    func reads(_ text: String, _ expected: [String]) throws {
        let bytes = Array(text.utf8)
        let blocks = try PEMBlock.blocks(in: bytes.span).map { block in
            let contents = try block.decode(from: bytes.span)
            #expect(contents.count == block.count)
            return "\(block.label) \(Hex.encode(contents))"
        }
        #expect(blocks == expected)
    }

    @Test(
        arguments: [
            ("no end", "-----BEGIN X-----\nAQID\n"),
            ("another end", "-----BEGIN X-----\nAQID\n-----END Y-----\n"),
            ("nothing", "-----BEGIN X-----\n-----END X-----\n"),
            ("an empty line", "-----BEGIN X-----\n\nAQID\n-----END X-----\n"),
            ("an end alone", "-----END X-----\n"), ("dashes", "-----\n"),
            ("four dashes", "-----BEGIN X----\nAQID\n-----END X-----\n"),
            ("a space behind", "-----BEGIN X----- \nAQID\n-----END X-----\n"),
            ("a space in front of a line", "-----BEGIN X-----\n AQI\n-----END X-----\n"),
            ("no label", "-----BEGIN -----\nAQID\n-----END -----\n"),
            ("a double space", "-----BEGIN A  B-----\nAQID\n-----END A  B-----\n"),
            ("a space at the label's end", "-----BEGIN A -----\nAQID\n-----END A -----\n"),
            ("a dash at its begin", "-----BEGIN -A-----\nAQID\n-----END -A-----\n"),
            ("a header", "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n"),
            ("a short line inside", "-----BEGIN X-----\nAQID\nAQID\n-----END X-----\n"),
            ("a long line", "-----BEGIN X-----\n\(full)AAAA\n-----END X-----\n"),
            ("padding inside", "-----BEGIN X-----\n\(full.dropLast(2))==\nAQID\n-----END X-----\n"),
            ("no padding", "-----BEGIN X-----\nAQ\n-----END X-----\n"),
            ("too much padding", "-----BEGIN X-----\nA===\n-----END X-----\n"),
            ("bits left over", "-----BEGIN X-----\nAR==\n-----END X-----\n"),
            ("a tab", "-----BEGIN X-----\nAQI\t\n-----END X-----\n"),
            ("CR alone", "-----BEGIN X-----\rAQID\r-----END X-----\r"),
            ("a block in a block", "-----BEGIN X-----\n-----BEGIN X-----\nAQID\n-----END X-----\n"),
            ("the URL alphabet", "-----BEGIN X-----\nAQ-_\n-----END X-----\n"),
        ])
    func refuses(_ why: String, _ text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: ASN1Error.self, "\(why)") {
            for block in try PEMBlock.blocks(in: bytes.span) { _ = try block.decode(from: bytes.span) }
        }
    }

    @Test func placesOfErrors() {
        let text = "-----BEGIN X-----\n\(Self.full)\nAQ?=\n-----END X-----\n"
        #expect(throws: ASN1Error(.badPEM, at: 18 + 65 + 2)) { try PEMBlock.decode(text, label: "X") }
        #expect(throws: ASN1Error(.badPEM, at: 0)) { try PEMBlock.decode("", label: "X") }
        #expect(throws: ASN1Error(.badPEM, at: 18)) {
            try PEMBlock.decode(PEMBlock.encode([1], label: "X"), label: "Y")
        }
        let two = PEMBlock.encode([1], label: "X") + PEMBlock.encode([2], label: "X")
        #expect(throws: ASN1Error(.overLimit, at: 39)) { try PEMBlock.decode(two, label: "X", limit: 1) }
    }

    @Test func decodesInPlace() throws {
        let contents = [UInt8](repeating: 0xa5, count: 100)
        let text = Array(PEMBlock.encode(contents, label: "PRIVATE KEY").utf8)
        let block = try #require(try PEMBlock.blocks(in: text.span).first)
        let copy = try [UInt8](capacity: block.count) { (output) throws(ASN1Error) in
            try block.decode(from: text.span, into: &output)
        }
        #expect(copy == contents)
        var spoiled = text
        spoiled[block.body.upperBound - 6] = 0x21
        let rest = [UInt8](capacity: block.count + 1) { output in
            output.append(7)
            #expect(throws: ASN1Error.self) { try block.decode(from: spoiled.span, into: &output) }
            #expect(throws: ASN1Error.self) {
                try block.decode(from: text.span.extracting(0..<40), into: &output)
            }
        }
        #expect(rest == [7])
        let small = [UInt8](capacity: 99) { output in
            #expect(throws: ASN1Error.self) { try block.decode(from: text.span, into: &output) }
        }
        #expect(small.isEmpty)
    }

    /// openssl writes certificates' text with the same line ends.
    @Test(arguments: [1, 47, 48, 49, 95, 96, 97, 500])
    func opensslReadsWhatIsWritten(_ count: Int) throws {
        var random = Trials.generator("pem")
        var writer = DERWriter()
        writer.octetString((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        let text = PEMBlock.encode(writer.bytes, label: "CMS")
        let folder = try TemporaryFolder()
        let path = try folder.write("in.pem", text)
        try Command.check([
            "openssl", "asn1parse", "-inform", "PEM", "-in", path, "-noout", "-out", folder.path + "/out.der",
        ])
        let theirs = try folder.read("out.der")
        #expect(theirs == writer.bytes)
        let own = try PEMBlock.decode(text, label: "CMS")
        #expect(own == [writer.bytes])
    }
}
