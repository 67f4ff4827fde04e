// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import FoundationEssentials

/// Values in JSON bodies.
public enum JSON {
    /// Decodes a text after `JSONText` has found it unambiguous.
    public static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, from bytes: [UInt8]
    ) throws(HTTPError) -> Value {
        do {
            try JSONText.check(bytes)
        } catch {
            throw HTTPError(.malformedInput, "the JSON is refused: \(error)")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw HTTPError(.invalidArgument, text(of: error))
        } catch let error as HTTPError {
            throw error
        } catch {
            throw HTTPError(.invalidArgument, "the JSON does not have the wanted form")
        }
    }

    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) has no value"
        case .typeMismatch(_, let context): "\(place(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context): "\(place(context.codingPath)) is not a possible value"
        @unknown default: "the JSON does not have the wanted form"
        }
    }

    /// Like `/keys/0/name`; only names that the type itself has can stand in it.
    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty
            ? "the JSON value" : path.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
    }
}
