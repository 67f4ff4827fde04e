// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Secrets

/// A JSON text some of whose texts are secret: they are taken out in locked memory, and what is left has empty texts in
/// their place and can be decoded like any other.
///
/// It knows no more of JSON than which texts are names: what is left is judged by `JSONText`. A name with an escape in it,
/// and a secret that is there twice, are refused.
public struct SecretTexts: ~Copyable {
    /// What is left.
    public private(set) var open: [UInt8] = []
    public private(set) var secrets: [String: RequestSecret] = [:]

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    public init(in text: Span<UInt8>, named names: Set<String>) throws {
        var offset = 0
        while offset < text.count {
            guard text[offset] == Self.quote else {
                open.append(text[offset])
                offset += 1
                continue
            }
            let string = try Self.string(text, at: offset)
            offset = string.upperBound + 1
            open.append(copying: text.extracting(string.lowerBound - 1..<offset))
            var next = Self.skipSpace(text, from: offset)
            guard next < text.count, text[next] == UInt8(ascii: ":") else { continue }
            let name = Array(copying: text.extracting(string))
            guard !name.contains(Self.backslash) else { throw Self.refused("a name with an escape in it") }
            next = Self.skipSpace(text, from: next + 1)
            let key = String(decoding: name, as: UTF8.self)
            guard names.contains(key), next < text.count, text[next] == Self.quote else { continue }
            guard secrets[key] == nil else { throw Self.refused("\"\(key)\" twice") }
            let value = try Self.string(text, at: next)
            secrets[key] = RequestSecret(try Self.plain(text.extracting(value)))
            open.append(copying: text.extracting(offset..<next))
            open += [Self.quote, Self.quote]
            offset = value.upperBound + 1
        }
    }

    private static func refused(_ reason: String) -> HTTPError {
        HTTPError(.malformedInput, "the JSON is refused: \(reason)")
    }

    private static func skipSpace(_ text: Span<UInt8>, from start: Int) -> Int {
        var offset = start
        while offset < text.count, [0x20, 0x0a, 0x0d, 0x09].contains(text[offset]) { offset += 1 }
        return offset
    }

    /// Where the text between two quotes lies.
    private static func string(_ text: Span<UInt8>, at start: Int) throws -> Range<Int> {
        var offset = start + 1
        while offset < text.count {
            switch text[offset] {
            case quote: return start + 1..<offset
            case backslash: offset += 2
            default: offset += 1
            }
        }
        throw refused("a string without an end")
    }

    /// Without the escapes.
    private static func plain(_ text: Span<UInt8>) throws -> SecretBytes {
        try SecretBytes(capacity: text.count) { output in
            var offset = 0
            while offset < text.count {
                let byte = text[offset]
                guard byte >= 0x20 else { throw refused("a control character in a string") }
                offset += 1
                guard byte == backslash else {
                    output.append(byte)
                    continue
                }
                guard offset < text.count else { throw refused("a string without an end") }
                let sort = text[offset]
                offset += 1
                switch sort {
                case quote, backslash, UInt8(ascii: "/"): output.append(sort)
                case UInt8(ascii: "b"): output.append(0x08)
                case UInt8(ascii: "f"): output.append(0x0c)
                case UInt8(ascii: "n"): output.append(0x0a)
                case UInt8(ascii: "r"): output.append(0x0d)
                case UInt8(ascii: "t"): output.append(0x09)
                case UInt8(ascii: "u"):
                    let scalar = try scalar(text, &offset)
                    UTF8.encode(scalar) { output.append($0) }
                default: throw refused("an unknown escape")
                }
            }
        }
    }

    private static func scalar(_ text: Span<UInt8>, _ offset: inout Int) throws -> Unicode.Scalar {
        var code = try fourDigits(text, &offset)
        if code & 0xfc00 == 0xd800 {
            guard offset + 6 <= text.count, text[offset] == backslash, text[offset + 1] == UInt8(ascii: "u")
            else { throw refused("half of a surrogate pair") }
            offset += 2
            let low = try fourDigits(text, &offset)
            guard low & 0xfc00 == 0xdc00 else { throw refused("half of a surrogate pair") }
            code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
        }
        guard code != 0, let scalar = Unicode.Scalar(code) else {
            throw refused(code == 0 ? "NUL in a string" : "half of a surrogate pair")
        }
        return scalar
    }

    private static func fourDigits(_ text: Span<UInt8>, _ offset: inout Int) throws -> UInt32 {
        guard offset + 4 <= text.count else { throw refused("a malformed escape") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = text[offset].hexValue else { throw refused("a malformed escape") }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}

extension Request {
    /// The body as JSON, whose texts under these names, at any depth, come apart from it in locked memory; the value has
    /// empty texts in their place. The route's options have to say that its bodies are secret.
    public func json<Value: Decodable>(
        _ type: Value.Type = Value.self, keeping names: Set<String>
    ) async throws -> (value: Value, secrets: [String: RequestSecret]) {
        try expectContent(["application/json"])
        let held = try SecretBody()
        while var piece = try await body.read() {
            try held.append(piece.span)
            piece.wipe()
        }
        let whole = try held.take()
        let texts = try SecretTexts(in: whole.bytes, named: names)
        return (try JSON.decode(type, from: texts.open), texts.secrets)
    }
}
