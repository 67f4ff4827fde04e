// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Keyring

/// The description of the routes in the words of OpenAPI 3.0.3.
struct OpenAPIDocument {
    let text: [UInt8]

    init(_ entries: [RouteTable.Entry]) throws {
        var documents = Documents()
        var paths: [String: [String: Node]] = [:]
        for entry in entries {
            paths[entry.pattern, default: [:]][entry.method.rawValue.lowercased()] =
                documents.operation(entry)
        }
        let problem = documents.node(.document(ProblemDocument.self))
        let root: Node = [
            "openapi": "3.0.3",
            "info": [
                "title": "Signet control plane", "version": "1.0.0", "license": ["name": "Apache-2.0"],
                "description":
                    "Keys, approvals, users, grants and records. docs/reference/rest.md tells more.",
            ],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(documents.schemas),
                "responses": [
                    "Problem": [
                        "description": "What went wrong, with a stable code (docs/reference/errors.md)",
                        "content": ["application/problem+json": ["schema": problem]],
                    ]
                ],
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "An API token; the token alone, without Bearer, is taken too.",
                    ]
                ],
            ],
            "security": [["token": []]],
        ]
        text = try JSON.encode(root)
    }
}

/// Every refusal and fault.
enum ProblemDocument: DescribedDocument {
    static let schema = Schema.object([
        .init("type", .string), .init("title", .string), .init("status", .integer(400...599)),
        .init("detail", .string, optional: true), .init("remedy", .string), .init("code", .string),
        .init("request", .string),
    ])
}

/// Turns descriptions into JSON, and keeps the documents that they name.
private struct Documents {
    var schemas: [String: Node] = [:]

    mutating func operation(_ entry: RouteTable.Entry) -> Node {
        let operation = entry.operation
        var node: [String: Node] = [
            "summary": .string(operation.summary), "operationId": .string(entry.identifier),
            "tags": [.string(entry.tag)], "parameters": .array(parameters(of: entry)),
        ]
        switch operation.need {
        case .nothing: node["security"] = [["token": []], [:]]
        case .token: node["x-roles"] = .array(Role.allCases.map { .string($0.rawValue) })
        case .ability(let abilities):
            let able = Role.allCases.filter { role in abilities.contains { role.may($0) } }
            node["x-roles"] = .array(able.map { .string($0.rawValue) })
        }
        if let body = operation.body {
            node["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": self.node(body)]],
            ]
        }
        let (status, answer) = answer(operation.answer)
        var responses: [String: Node] = [
            status: answer, "default": ["$ref": "#/components/responses/Problem"],
        ]
        if let otherwise = operation.otherwise {
            let (status, answer) = self.answer(otherwise)
            responses[status] = answer
        }
        if operation.isConditional, entry.method == .get {
            responses["304"] = ["description": "It is still what If-None-Match names"]
        }
        node["responses"] = .object(responses)
        return .object(node)
    }

    private mutating func answer(_ answer: Operation.Answer) -> (status: String, Node) {
        switch answer {
        case .json(let schema, let status):
            (
                String(status.rawValue),
                [
                    "description": .string(status.reason),
                    "content": ["application/json": ["schema": node(schema)]],
                ]
            )
        case .text:
            ("200", ["description": "OK", "content": ["text/plain": ["schema": ["type": "string"]]]])
        case .empty(let status):
            (String(status.rawValue), ["description": .string("\(status.reason), without a body")])
        }
    }

    private mutating func parameters(of entry: RouteTable.Entry) -> [Node] {
        var all = entry.pathParameters.map { name in
            parameter(name, in: "path", isRequired: true, entry.schema(ofPathParameter: name), nil)
        }
        for query in entry.operation.query {
            all.append(
                parameter(query.name, in: "query", isRequired: query.isRequired, query.schema, query.note))
        }
        if entry.operation.isConditional {
            for name in ["If-Match", "If-None-Match"] {
                all.append(parameter(name, in: "header", isRequired: false, .string, "entity tags"))
            }
        }
        return all
    }

    private mutating func parameter(
        _ name: String, in place: String, isRequired: Bool, _ schema: Schema, _ note: String?
    ) -> Node {
        var node: [String: Node] = [
            "name": .string(name), "in": .string(place), "required": .boolean(isRequired),
            "schema": self.node(schema),
        ]
        if let note { node["description"] = .string(note) }
        return .object(node)
    }

    mutating func node(_ schema: Schema) -> Node {
        switch schema {
        case .text(let text):
            var node: [String: Node] = ["type": "string"]
            node["format"] = text.format.map { .string($0) }
            node["pattern"] = text.pattern.map { .string($0) }
            node["minLength"] = text.length.map { .integer(Int64($0.lowerBound)) }
            node["maxLength"] = text.length.map { .integer(Int64($0.upperBound)) }
            return .object(node)
        case .choice(let words): return ["type": "string", "enum": .array(words.map { .string($0) })]
        case .integer(let range):
            return [
                "type": "integer", "format": "int64", "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ]
        case .boolean: return ["type": "boolean"]
        case .list(let element, let count):
            var node: [String: Node] = ["type": "array", "items": self.node(element)]
            node["minItems"] = count.map { .integer(Int64($0.lowerBound)) }
            node["maxItems"] = count.map { .integer(Int64($0.upperBound)) }
            return .object(node)
        case .map(let element): return ["type": "object", "additionalProperties": node(element)]
        case .object(let fields): return object(fields)
        case .document(let type):
            let name = type.documentName
            // First the name, for a document that holds its own kind.
            if schemas[name] == nil {
                schemas[name] = [:]
                schemas[name] = node(type.schema)
            }
            return ["$ref": .string("#/components/schemas/\(name)")]
        case .nullable(let schema):
            guard case .object(var node) = node(schema) else { return [:] }
            node["nullable"] = true
            return .object(node)
        case .any: return [:]
        }
    }

    private mutating func object(_ fields: [Schema.Field]) -> Node {
        var properties: [String: Node] = [:]
        for field in fields {
            var node = node(field.schema)
            // Nothing may stand beside a reference.
            if let note = field.note, case .object(var parts) = node, parts["$ref"] == nil {
                parts["description"] = .string(note)
                node = .object(parts)
            }
            properties[field.name] = node
        }
        var node: [String: Node] = [
            "type": "object", "properties": .object(properties), "additionalProperties": false,
        ]
        let required = fields.filter { !$0.isOptional }.map { Node.string($0.name) }
        if !required.isEmpty { node["required"] = .array(required) }
        return .object(node)
    }
}

extension RouteTable.Entry {
    /// `get_keys_key_public_key`
    fileprivate var identifier: String {
        let words = pattern.split(separator: "/").map { $0.filter { !"{}".contains($0) } }
        let name = ([method.rawValue.lowercased()] + words.filter { $0 != "api" && $0 != "v1" }).joined(
            separator: "_")
        return pattern.hasSuffix("/") ? name + "_" : name
    }

    fileprivate var tag: String {
        let words = pattern.split(separator: "/")
        return words.count > 2 && words[1] == "v1" ? String(words[2]) : "service"
    }

    /// `{key}` is an id or a name, the others are ids.
    fileprivate func schema(ofPathParameter name: String) -> Schema {
        name == "key" ? .string(1...KeyName.longest) : .id
    }
}

/// A JSON value.
private indirect enum Node: Encodable, ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByArrayLiteral, ExpressibleByBooleanLiteral
{
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case array([Node])
    case object([String: Node])

    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
    init(arrayLiteral elements: Node...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, Node)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let text): try container.encode(text)
        case .integer(let number): try container.encode(number)
        case .boolean(let flag): try container.encode(flag)
        case .array(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }
}
