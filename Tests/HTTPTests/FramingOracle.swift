// SPDX-License-Identifier: Apache-2.0

import HTTP
import HTTP2
import TestSupport

/// Python's h11, one process for a whole batch of messages.
///
/// Where this parser is the stricter one (it refuses, h11 takes):
/// - lines that end with a bare LF, folded lines, an empty line before a request;
/// - Transfer-Encoding and Content-Length together, or equal lengths twice or in a list;
/// - a chunk size with white space behind it;
/// - framing fields among trailers;
/// - a version 1.2 and later; a fragment in the target; a Host with characters that no authority has.
enum FramingOracle {
    enum Sort: UInt8, CaseIterable, Sendable {
        case request
        case responseToGet
        case responseToHead
    }

    struct Message: Sendable {
        var sort: Sort
        var bytes: [UInt8]
    }

    /// What one side makes of the first message in some bytes, as text: `-` for an error, `+` for not yet, else the
    /// start, the fields, the body and how many bytes it took.
    static func judge(_ messages: [Message]) throws -> [String] {
        var input: [UInt8] = []
        for message in messages {
            input.append(message.sort.rawValue)
            for shift in [24, 16, 8, 0] {
                input.append(UInt8(truncatingIfNeeded: message.bytes.count >> shift))
            }
            input += message.bytes
        }
        return try Command.python(script, input: input).text.split(separator: "\n").map(String.init)
    }

    static func own(_ message: Message) -> String {
        var parser = MessageParser(message.sort == .request ? .requests : .responses)
        if message.sort == .responseToHead { parser.answeredMethod = "HEAD" }
        var head: MessageHead?
        var body: [UInt8] = []
        var offset = 0
        do throws(MessageError) {
            while let event = try parser.next(message.bytes.span, from: &offset) {
                switch event {
                case .head(let found): head = found
                case .body(let range): body += message.bytes[range]
                case .end:
                    guard let found = head else { return "-" }
                    if case .response(let status) = found.start, status.isInformational {
                        head = nil
                    } else {
                        return text(found, body, offset)
                    }
                }
            }
            guard message.sort != .request else { return "+" }
            guard try parser.closed(), let head else { return "-" }
            return text(head, body, message.bytes.count)
        } catch {
            return "-"
        }
    }

    private static func text(_ head: MessageHead, _ body: [UInt8], _ taken: Int) -> String {
        let start =
            switch head.start {
            case .request(let method, let target): "\(hex(method)) \(hex(target))"
            case .response(let status): "\(status.rawValue)"
            }
        return "\(start) 1.\(head.minorVersion) \(head.fields.count) \(hex(body)) \(taken)"
    }

    private static func hex(_ text: String) -> String { hex(Array(text.utf8)) }
    private static func hex(_ bytes: [UInt8]) -> String {
        "x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let script = """
        import sys, h11

        def text(start, event, body, taken):
            version = event.http_version.decode()
            return f"{start} {version} {len(event.headers)} x{body.hex()} {taken}"

        def first(sort, data):
            if sort == 0:
                conn = h11.Connection(h11.SERVER)
            else:
                conn = h11.Connection(h11.CLIENT)
                method = "HEAD" if sort == 2 else "GET"
                conn.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
                conn.send(h11.EndOfMessage())
            conn.receive_data(data)
            head, body, ended = None, b"", False
            while True:
                event = conn.next_event()
                if event is h11.NEED_DATA:
                    if sort == 0 or ended:
                        return "+" if sort == 0 else "-"
                    ended = True
                    conn.receive_data(b"")
                elif isinstance(event, (h11.Request, h11.Response)):
                    head = event
                elif isinstance(event, h11.InformationalResponse):
                    pass
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return "-"
            taken = len(data) - len(conn.trailing_data[0])
            if sort == 0:
                start = f"x{head.method.hex()} x{head.target.hex()}"
            else:
                start = f"{head.status_code}"
            return text(start, head, body, taken)

        source = sys.stdin.buffer
        while sort := source.read(1):
            length = int.from_bytes(source.read(4), "big")
            data = source.read(length)
            try:
                print(first(sort[0], data))
            except (h11.RemoteProtocolError, UnicodeDecodeError):
                print("-")
        """
}
