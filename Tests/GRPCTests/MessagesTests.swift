// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@testable import GRPC

@Suite struct MessagesTests {
    static let timeouts: [(String, Duration?)] = [
        ("1H", .seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
        ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("99999999H", .seconds(99_999_999 * 3600)),
        ("", nil), ("S", nil), ("1", nil), ("1s", nil), ("-1S", nil), ("+1S", nil), ("1.5S", nil),
        ("123456789S", nil),
        (" 1S", nil), ("1S ", nil), ("١S", nil),
    ]

    @Test(arguments: timeouts) func parsesTimeouts(_ text: String, _ expected: Duration?) {
        #expect(Timeout.parse(text) == expected)
    }

    @Test(arguments: [
        Duration.zero, .nanoseconds(1), .milliseconds(1), .seconds(1), .seconds(100), .seconds(1e6),
        .seconds(4e11),
    ])
    func formatsWhatItParses(_ duration: Duration) throws {
        let text = Timeout.format(duration)
        let parsed = try #require(Timeout.parse(text))
        #expect(text.utf8.count <= 9)
        #expect(parsed >= duration || text.hasSuffix("H"))
        #expect(parsed <= duration * 1.001 + .seconds(3600))
    }

    @Test(arguments: ["", "plain words", "100 %", "Größe\nzwei", "\u{1f511}"])
    func messagesSurviveTheirEncoding(_ text: String) {
        let encoded = StatusMessage.encode(text)
        #expect(encoded.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e })
        #expect(StatusMessage.decode(encoded) == text)
    }

    @Test func malformedEncodingIsLeftAlone() {
        #expect(StatusMessage.decode("50% of%2") == "50% of%2")
        #expect(StatusMessage.decode("%zz%41") == "%zzA")
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func decodesInPieces(_ step: Int) throws {
        let messages: [[UInt8]] = [[], [1], [UInt8](repeating: 7, count: 300), [9, 9]]
        let bytes = messages.flatMap { MessageDecoder.prefix(of: $0).bytes + $0 }
        var decoder = MessageDecoder(limit: 300)
        var decoded: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            let piece = Array(bytes[start..<min(start + step, bytes.count)])
            var offset = 0
            while let message = try decoder.next(piece.span, from: &offset) { decoded.append(message) }
            #expect(offset == piece.count)
        }
        #expect(decoded == messages)
        #expect(!decoder.isInMessage)
    }

    @Test func refusesLongCompressedAndMalformedMessages() {
        for (bytes, status) in [
            ([0, 0, 0, 1, 45], CallStatus.Code.resourceExhausted),
            ([0, 255, 255, 255, 255], .resourceExhausted),
            ([1, 0, 0, 0, 0], .internal), ([2, 0, 0, 0, 0], .internal),
        ] as [([UInt8], CallStatus.Code)] {
            var decoder = MessageDecoder(limit: 300)
            var offset = 0
            do {
                _ = try decoder.next(bytes.span, from: &offset)
                Issue.record("accepted \(bytes)")
            } catch {
                #expect(error.status == status)
            }
        }
    }

    @Test func metadataRefusesWhatMayNotBeSent() {
        var metadata = Metadata()
        let added = [metadata.append("name", "value"), metadata.append("trace-bin", bytes: [0, 255, 1])]
        #expect(added == [true, true])
        for name in ["", "Upper", "grpc-status", "with space", "bytes-bin", ":path"] {
            let wasAdded = metadata.append(name, "value")
            #expect(!wasAdded, "\(name)")
        }
        let more = [metadata.append("name", "line\nbreak"), metadata.append("text", bytes: [1])]
        #expect(more == [false, false])
        #expect(metadata["name"] == "value")
        #expect(metadata.bytes(of: "trace-bin") == [0, 255, 1])
    }
}
