// SPDX-License-Identifier: Apache-2.0

/// What a JSON value looks like, as far as OpenAPI 3.0 can say it.
indirect enum Schema: Sendable {
    case text(Text = Text())
    /// One of these words.
    case choice([String])
    case integer(ClosedRange<Int64>)
    case boolean
    case list(Schema, count: ClosedRange<Int>? = nil)
    /// An object with names that are not known before.
    case map(Schema)
    case object([Field])
    /// A document with a name of its own.
    case document(any DescribedDocument.Type)
    case nullable(Schema)
    case any

    /// What a text looks like.
    struct Text: Sendable {
        var format: String?
        var pattern: String?
        var length: ClosedRange<Int>?

        init(format: String? = nil, pattern: String? = nil, length: ClosedRange<Int>? = nil) {
            (self.format, self.pattern, self.length) = (format, pattern, length)
        }
    }

    struct Field: Sendable {
        let name: String
        let schema: Schema
        let isOptional: Bool
        let note: String?

        init(_ name: String, _ schema: Schema, optional isOptional: Bool = false, _ note: String? = nil) {
            (self.name, self.schema, self.isOptional, self.note) = (name, schema, isOptional, note)
        }
    }

    static let string = Schema.text()
    static let number = Schema.integer(0...Int64.max)
    static let timestamp = Schema.text(Text(format: "date-time"))
    static let id = Schema.text(Text(format: "uuid", pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))
    static let sha256 = Schema.text(Text(pattern: "^[0-9a-f]{64}$"))

    static func string(_ length: ClosedRange<Int>) -> Schema { .text(Text(length: length)) }

    static func choice<Choice: CaseIterable & RawRepresentable>(of type: Choice.Type) -> Schema
    where Choice.RawValue == String {
        .choice(type.allCases.map(\.rawValue))
    }
}

/// A JSON document whose form the OpenAPI document tells under its name: the type's, without `Document`.
protocol DescribedDocument: Sendable {
    static var schema: Schema { get }
}

extension DescribedDocument {
    static var documentName: String {
        let name = "\(Self.self)".prefix { $0 != "<" }
        return String(name.hasSuffix("Document") ? name.dropLast("Document".count) : name)
    }
}

extension Schema {
    /// `{ "data": [document], "meta": { "total_count": number } }`
    static func page(of type: any DescribedDocument.Type) -> Schema {
        .object([
            Field("data", .list(.document(type))),
            Field("meta", .object([Field("total_count", .number)])),
        ])
    }

    /// `{ "data": [document] }`, a part of a list whose whole is not counted.
    static func part(of type: any DescribedDocument.Type) -> Schema {
        .object([Field("data", .list(.document(type)))])
    }
}
