// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP

/// A JSON object that may have its own fields and no others: a misspelt field that was passed over, such as the end of
/// a grant, would give more than was meant.
protocol StrictDocument: Decodable {
    associatedtype Fields: CodingKey & CaseIterable

    init(_ fields: KeyedDecodingContainer<Fields>) throws
}

extension StrictDocument {
    init(from decoder: any Decoder) throws {
        let known = Set(Fields.allCases.map(\.stringValue))
        let given = try decoder.container(keyedBy: AnyField.self).allKeys.map(\.stringValue)
        guard let unknown = given.first(where: { !known.contains($0) }) else {
            try self.init(decoder.container(keyedBy: Fields.self))
            return
        }
        throw HTTPError(
            .invalidArgument,
            "the field \"\(unknown.prefix(40))\" is not known here; known are \(known.sorted().joined(separator: ", "))"
        )
    }
}

private struct AnyField: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
