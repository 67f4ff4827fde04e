// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Whatever this parser takes, h11 takes too, with the same beginning, body and end: between the two nothing can be
/// smuggled.
@Suite struct FramingTests {
    static let seeds: [FramingOracle.Message] = {
        let host = "Host: a\r\n"
        let coded = "Transfer-Encoding: chunked\r\n"
        let requests = [
            "GET / HTTP/1.1\r\n\(host)\r\n",
            "GET /a?b=c HTTP/1.1\r\n\(host)X: y\r\n\r\nGET / HTTP/1.1\r\n\(host)\r\n",
            "POST /x HTTP/1.1\r\n\(host)Content-Length: 10\r\n\r\n0123456789GET",
            "POST /x HTTP/1.1\r\n\(host)\(coded)\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\nrest",
            "PUT / HTTP/1.0\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nab",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\n\(coded)\r\n1\r\na\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)X: a\r\n b\r\nY:\t z \r\n\r\n",
        ]
        let responses = [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1",
            "HTTP/1.1 200\r\nX: y\r\n\r\nuntil the end",
            "HTTP/1.1 200 OK\r\n\(coded)\r\n1\r\na\r\n0\r\n\r\nmore",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nxyz",
            "HTTP/1.0 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        ]
        return requests.map { .init(sort: .request, bytes: Array($0.utf8)) }
            + responses.flatMap { text in
                [.responseToGet, .responseToHead].map { .init(sort: $0, bytes: Array(text.utf8)) }
            }
    }()

    /// What makes trouble when it stands at a wrong place.
    static let pieces: [[UInt8]] =
        [
            "\r\n", "\r", "\n", " ", "\t", "\0", ":", ";", ",", "0", "1", "a", "F", "-", "+", "0x", "\u{0b}",
            "\u{0c}", "chunked",
            "Content-Length: 0\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Host: b\r\n", "\r\n\r\n", "HTTP/1.1", "HTTP/1.0", "\r\n0\r\n\r\n", "content-length : 1\r\n",
            "X: y\n",
        ].map { Array($0.utf8) } + [[0xff], [0x7f], [0x80]]

    static func mutated(_ message: FramingOracle.Message, using generator: inout SeededGenerator)
        -> FramingOracle.Message
    {
        var bytes = message.bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count:
                bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 3: bytes.removeLast(min(bytes.count - place, Int.random(in: 0...4, using: &generator)))
            default:
                // A line goes elsewhere, or comes twice.
                let starts = bytes.indices.filter { $0 == 0 || bytes[$0 - 1] == 0x0a }
                guard let from = starts.randomElement(using: &generator),
                    let to = starts.randomElement(using: &generator)
                else { continue }
                let end = bytes[from...].firstIndex(of: 0x0a).map { $0 + 1 } ?? bytes.count
                bytes.insert(contentsOf: bytes[from..<end], at: to)
            }
        }
        return FramingOracle.Message(sort: message.sort, bytes: bytes)
    }

    @Test func agreesWithH11() throws {
        var generator = Trials.generator("framing")
        var messages = Self.seeds
        let count = Trials.count(20_000, full: 1_000_000)
        while messages.count < count {
            guard let seed = Self.seeds.randomElement(using: &generator) else { break }
            messages.append(Self.mutated(seed, using: &generator))
        }
        let theirs = try FramingOracle.judge(messages)
        #expect(theirs.count == messages.count)
        var taken = 0
        for (message, their) in zip(messages, theirs) {
            let own = FramingOracle.own(message)
            guard own != "-" else { continue }
            taken += own == "+" ? 0 : 1
            // What waits for more may already be an error for the other.
            let agrees = own == their || own == "+" && their == "-"
            #expect(
                agrees,
                "\(message.sort) \(String(decoding: message.bytes, as: UTF8.self).debugDescription): \(own) / \(their)"
            )
            if !agrees { return }
        }
        // Enough must be taken, or nothing is compared.
        #expect(taken > messages.count / 10)
    }

    /// The seeds themselves are no errors for both, but where this parser is stricter by intent.
    @Test func seedsAreTaken() throws {
        let theirs = try FramingOracle.judge(Self.seeds)
        let refused = zip(Self.seeds, theirs).filter { FramingOracle.own($0.0) == "-" && $0.1 != "-" }
        #expect(refused.count == 2)
    }
}
