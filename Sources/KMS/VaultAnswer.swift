// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Secrets

/// What a Vault answered: where the texts, numbers and flags of a JSON object stand (RFC 8259), by the names that lead to
/// them, such as `data/plaintext` and `errors/0`. The answer may hold a key, so none of it is copied before it is asked for.
///
/// Refused are names with escapes, equal names, more than `mostPlaces` values, and nesting beyond `deepest`.
struct VaultAnswer {
    private struct Place {
        let range: Range<Int>
        /// A string without escapes: its text is the bytes themselves.
        let isPlainText: Bool
        let isText: Bool
    }
    private var places: [String: Place] = [:]

    static let mostPlaces = 256
    static let deepest = 8

    /// `nil` for what is no such object.
    init?(_ bytes: Span<UInt8>) {
        var reader = Reader()
        reader.skip(bytes)
        guard reader.next(bytes) == UInt8(ascii: "{"), reader.value(bytes, "", depth: 0) else { return nil }
        reader.skip(bytes)
        guard reader.offset == bytes.count else { return nil }
        places = reader.places
    }

    // MARK: Values

    /// What is not secret, such as a message: visible ASCII alone, the rest is left out.
    func text(_ name: String, of bytes: Span<UInt8>, limit: Int = 256) -> String? {
        guard let place = places[name], place.isText else { return nil }
        let value = [UInt8](copying: bytes.extracting(place.range)).prefix(limit).filter { 0x20...0x7e ~= $0 }
        return String(decoding: value, as: UTF8.self)
    }

    /// A text that is longer, and as it is.
    func wholeText(_ name: String, of bytes: Span<UInt8>) -> String? {
        guard let place = places[name], place.isPlainText else { return nil }
        return String(decoding: [UInt8](copying: bytes.extracting(place.range)), as: UTF8.self)
    }

    func number(_ name: String, of bytes: Span<UInt8>) -> Int? {
        guard let place = places[name], !place.isText else { return nil }
        return Int(String(decoding: [UInt8](copying: bytes.extracting(place.range)), as: UTF8.self))
    }

    func flag(_ name: String, of bytes: Span<UInt8>) -> Bool? {
        guard let place = places[name], !place.isText else { return nil }
        return switch String(decoding: [UInt8](copying: bytes.extracting(place.range)), as: UTF8.self) {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// A text, such as a token.
    func secret(_ name: String, of bytes: Span<UInt8>) throws -> SecretBytes? {
        guard let place = places[name], place.isPlainText else { return nil }
        return try SecretBytes(copying: bytes.extracting(place.range))
    }

    /// What a text is base64 of.
    func secret(base64 name: String, of bytes: Span<UInt8>) throws -> SecretBytes? {
        guard let place = places[name], place.isPlainText else { return nil }
        let base64 = Base64.standard
        do {
            return try SecretBytes(capacity: base64.decodedCapacity(place.range.count)) { output in
                try base64.decode(bytes.extracting(place.range), into: &output)
            }
        } catch is BytesError {
            return nil
        }
    }

    /// Reads any bytes, for a fuzzer.
    static func tryAll(_ input: [UInt8]) throws {
        let bytes = input.span
        guard let answer = VaultAnswer(bytes) else { return }
        for name in answer.places.keys {
            _ = answer.text(name, of: bytes)
            _ = answer.number(name, of: bytes)
            _ = answer.flag(name, of: bytes)
            let secret = try answer.secret(base64: name, of: bytes)
            guard secret == nil || answer.wholeText(name, of: bytes) != nil else {
                throw KMSError(.internalError, "a secret of what is no text")
            }
        }
    }

    // MARK: The grammar

    private struct Reader {
        var places: [String: Place] = [:]
        var offset = 0
        private var values = 0

        func next(_ bytes: Span<UInt8>) -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

        mutating func skip(_ bytes: Span<UInt8>) {
            while let byte = next(bytes), [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
        }

        private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
            skip(bytes)
            guard next(bytes) == byte else { return false }
            offset += 1
            return true
        }

        mutating func value(_ bytes: Span<UInt8>, _ path: String, depth: Int) -> Bool {
            skip(bytes)
            values += 1
            guard depth <= VaultAnswer.deepest, values <= VaultAnswer.mostPlaces, let first = next(bytes)
            else {
                return false
            }
            switch first {
            case UInt8(ascii: "{"): return members(bytes, path, depth: depth)
            case UInt8(ascii: "["): return elements(bytes, path, depth: depth)
            case UInt8(ascii: "\""):
                guard let text = text(bytes) else { return false }
                return note(path, Place(range: text.range, isPlainText: text.isPlain, isText: true))
            default:
                let start = offset
                while let byte = next(bytes), isWordByte(byte) { offset += 1 }
                guard offset > start, offset - start <= 32 else { return false }
                return note(path, Place(range: start..<offset, isPlainText: false, isText: false))
            }
        }

        private mutating func note(_ path: String, _ place: Place) -> Bool {
            places.updateValue(place, forKey: path) == nil
        }

        private func isWordByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
                true
            default: false
            }
        }

        /// Between its quotes.
        private mutating func text(_ bytes: Span<UInt8>) -> (range: Range<Int>, isPlain: Bool)? {
            guard take(UInt8(ascii: "\""), bytes) else { return nil }
            let start = offset
            var isPlain = true
            while let byte = next(bytes), byte != UInt8(ascii: "\"") {
                guard byte >= 0x20 else { return nil }
                if byte == UInt8(ascii: "\\") {
                    isPlain = false
                    offset += 1
                }
                offset += 1
            }
            guard offset < bytes.count else { return nil }
            defer { offset += 1 }
            return (start..<offset, isPlain)
        }

        private mutating func members(_ bytes: Span<UInt8>, _ path: String, depth: Int) -> Bool {
            guard take(UInt8(ascii: "{"), bytes) else { return false }
            if take(UInt8(ascii: "}"), bytes) { return true }
            var names: Set<String> = []
            repeat {
                guard let name = text(bytes), name.isPlain, name.range.count <= 64,
                    take(UInt8(ascii: ":"), bytes)
                else { return false }
                let text = String(decoding: [UInt8](copying: bytes.extracting(name.range)), as: UTF8.self)
                guard names.insert(text).inserted, !text.contains("/"),
                    value(bytes, path.isEmpty ? text : path + "/" + text, depth: depth + 1)
                else { return false }
            } while take(UInt8(ascii: ","), bytes)
            return take(UInt8(ascii: "}"), bytes)
        }

        private mutating func elements(_ bytes: Span<UInt8>, _ path: String, depth: Int) -> Bool {
            guard take(UInt8(ascii: "["), bytes) else { return false }
            if take(UInt8(ascii: "]"), bytes) { return true }
            var number = 0
            repeat {
                guard value(bytes, "\(path)/\(number)", depth: depth + 1) else { return false }
                number += 1
            } while take(UInt8(ascii: ","), bytes)
            return take(UInt8(ascii: "]"), bytes)
        }
    }
}
