// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP

/// A JSON object that may have its own fields and no others: a misspelt field that was passed over, such as the end of
/// a grant, would give more than was meant.
protocol StrictDocument: Decodable, DescribedDocument {
    associatedtype Fields: CodingKey & CaseIterable

    static func form(of field: Fields) -> FieldForm

    init(_ fields: KeyedDecodingContainer<Fields>) throws
}

/// What a field of a document that is read may hold. One that may be left out may be null too.
enum FieldForm {
    case needed(Schema, String? = nil)
    case optional(Schema, String? = nil)
}

extension StrictDocument {
    static var schema: Schema {
        .object(
            Fields.allCases.map { field in
                switch form(of: field) {
                case .needed(let schema, let note): .init(field.stringValue, schema, note)
                case .optional(let schema, let note):
                    .init(field.stringValue, .nullable(schema), optional: true, note)
                }
            })
    }

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
