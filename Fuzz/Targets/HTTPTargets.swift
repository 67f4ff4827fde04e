// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import HTTP2

let httpTargets: [FuzzTarget] = [
    FuzzTarget("http1-request") { try sameInPieces($0, .requests) },
    FuzzTarget("http1-response") { try sameInPieces($0, .responses) },
    FuzzTarget("header-list") { input in
        // A name, a line end, a value, a line end, and so on.
        var fields = HeaderFields()
        let lines = input.split(separator: 0x0a, omittingEmptySubsequences: false).map { Array($0) }
        for (name, value) in zip(lines, lines.dropFirst()) where !name.isEmpty {
            fields.append(name: name.span, value: value.span)
        }
        var size = 0
        for index in 0..<fields.count {
            let name = fields.name(at: index)
            size += fields.name(at: index).utf8.count + fields.value(at: index).utf8.count
            // Scalars: a mark that combines with U+FFFD makes another character of it.
            guard fields.contains(name) || name.unicodeScalars.contains("\u{fffd}") else {
                throw BrokenPromise("a field is not found by its name")
            }
        }
        var twice = fields
        twice.append(contentsOf: fields)
        guard twice.count == 2 * fields.count, twice.listSize == 2 * fields.listSize else {
            throw BrokenPromise("twice the fields are not twice the size")
        }
        let isText = (0..<fields.count).allSatisfy {
            !(fields.name(at: $0) + fields.value(at: $0)).unicodeScalars.contains("\u{fffd}")
        }
        guard !isText || fields.listSize == size + 32 * fields.count else {
            throw BrokenPromise("the size is not that of the fields")
        }
    },
    FuzzTarget("secret-texts") { input in
        let texts = try? SecretTexts(in: input.span, named: ["secret"])
        guard let texts, (try? JSONText.check(input)) != nil else { return }
        // What was JSON is JSON without the secrets, and nothing of them is in it.
        guard (try? JSONText.check(texts.open)) != nil, texts.open.count <= input.count else {
            throw BrokenPromise("what is left is no JSON")
        }
        guard !texts.secrets.isEmpty || texts.open == input else {
            throw BrokenPromise("something is missing though nothing was secret")
        }
        let again = try SecretTexts(in: texts.open.span, named: ["secret"])
        guard again.open == texts.open else { throw BrokenPromise("something secret was left") }
    },
    FuzzTarget("request-target") { input in
        guard let target = try? RequestTarget(String(decoding: input, as: UTF8.self)), !target.isServer else {
            return
        }
        for segment in target.segments
        where segment == "." || segment == ".." || segment.contains("/") || segment.contains("\0") {
            throw BrokenPromise("a segment that changes the path")
        }
        let query = target.query.parameters.map { ($0.name, $0.value) }
        let again = try RequestTarget(ClientRequest(.get, segments: target.segments, query: query).target)
        guard again.segments == target.segments, again.query == target.query else {
            throw BrokenPromise("the target does not come back")
        }
    },
    FuzzTarget("tag-condition") { input in
        guard case .tags(let strong, let weak)? = TagCondition(String(decoding: input, as: UTF8.self)) else {
            return
        }
        let text = (strong.map(\.description) + weak.map { "W/\($0)" }).joined(separator: ",")
        guard TagCondition(text) == .tags(strong, weak: weak) else {
            throw BrokenPromise("the condition does not come back")
        }
    },
    FuzzTarget("json") { input in
        guard (try? JSONText.check(input)) != nil else { return }
        // A number may be beyond what the decoder holds; all else must come through.
        guard let value = try? JSON.decode(Value.self, from: input) else {
            guard input.contains(where: { $0 == 0x2e || $0 | 0x20 == 0x65 }) || input.count > 15 else {
                throw BrokenPromise("a text that was found good is not decoded")
            }
            return
        }
        try JSONText.check(try JSON.encode(value))
    },
]

/// Any value that JSON can hold.
private enum Value: Codable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([Value])
    case object([String: Value])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([Value].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: Value].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }
}

private struct Read: Equatable {
    var heads: [MessageHead] = []
    var body: [UInt8] = []
    var trailers: [HeaderFields?] = []
    var error: MessageError?

    init(_ input: [UInt8], _ sort: MessageParser.Sort, step: Int) {
        var parser = MessageParser(sort)
        do throws(MessageError) {
            var start = 0
            while start < input.count {
                let piece = Array(input[start..<min(start + step, input.count)])
                start += piece.count
                var offset = 0
                while let event = try parser.next(piece.span, from: &offset) {
                    switch event {
                    case .head(let head): heads.append(head)
                    case .body(let range): body += piece[range]
                    case .end(let trailers): self.trailers.append(trailers)
                    }
                }
            }
            if try parser.closed() { trailers.append(nil) }
        } catch {
            self.error = error
        }
    }
}

/// However a message is cut on its way, it is the same message; and what was read writes to what reads the same.
private func sameInPieces(_ input: [UInt8], _ sort: MessageParser.Sort) throws {
    let whole = Read(input, sort, step: max(1, input.count))
    for step in [1, 7] {
        guard Read(input, sort, step: step) == whole else { throw BrokenPromise("pieces of \(step) differ") }
    }
    for head in whole.heads {
        var text =
            switch head.start {
            case .request(let method, let target): "\(method) \(target) HTTP/1.\(head.minorVersion)\r\n"
            case .response(let status): "HTTP/1.\(head.minorVersion) \(status.rawValue) x\r\n"
            }
        for index in 0..<head.fields.count {
            text += "\(head.fields.name(at: index)): \(head.fields.value(at: index))\r\n"
        }
        guard !text.contains("\u{fffd}") else { continue }
        let again = Read(Array((text + "\r\n").utf8), sort, step: 1 << 20)
        // Lengths of white space are not kept, so a head at the limit may go over it no more.
        guard again.heads == [head] else { throw BrokenPromise("the head does not come back") }
    }
}
