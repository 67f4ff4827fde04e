// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The OpenAPI document that the API shows, and whether answers are what it says.
final class ShownForms: @unchecked Sendable {
    let document: [String: Any]

    init(_ text: [UInt8]) throws {
        document = try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any] ?? [:]
    }

    struct Operation {
        let method: String
        let path: String
        let form: [String: Any]
    }

    var operations: [Operation] {
        let paths = document["paths"] as? [String: [String: [String: Any]]] ?? [:]
        return paths.flatMap { path, methods in
            methods.map { Operation(method: $0.key.uppercased(), path: path, form: $0.value) }
        }.sorted { ($0.path, $0.method) < ($1.path, $1.method) }
    }

    /// What an answer has that the description does not allow. An answer to what is no operation has none.
    func trouble(_ method: String, _ target: String, _ status: Int, _ type: String?, _ body: [UInt8])
        -> String?
    {
        let segments = target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        // As the router: a word before a parameter.
        let fitting = operations.filter { operation in
            guard operation.method == method else { return false }
            let pattern = operation.path.split(separator: "/", omittingEmptySubsequences: false)
            return pattern.count == segments.count
                && zip(pattern, segments).allSatisfy { $0.hasPrefix("{") && !$1.isEmpty || $0 == $1 }
        }
        let parameters = { (operation: Operation) in operation.path.filter { $0 == "{" }.count }
        guard let operation = fitting.min(by: { parameters($0) < parameters($1) }),
            let responses = operation.form["responses"] as? [String: Any]
        else { return nil }
        guard var response = (responses[String(status)] ?? responses["default"]) as? [String: Any] else {
            return "no answer of the status \(status) is described"
        }
        if let reference = response["$ref"] as? String { response = found(reference) }
        guard let content = response["content"] as? [String: [String: Any]] else {
            return body.isEmpty ? nil : "\(status) has a body"
        }
        let essence = String((type ?? "").prefix { $0 != ";" })
        guard let form = content[essence]?["schema"] as? [String: Any] else {
            return method == "HEAD" ? nil : "\(status) is of the type \(essence)"
        }
        guard essence.hasSuffix("json") else { return nil }
        guard let value = try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
        else {
            return "\(status) is no JSON"
        }
        return trouble(value, form, "answer")
    }

    private func found(_ reference: String) -> [String: Any] {
        var node: Any? = document
        for part in reference.split(separator: "/").dropFirst() {
            node = (node as? [String: Any])?[String(part)]
        }
        return node as? [String: Any] ?? [:]
    }

    private func trouble(_ value: Any, _ form: [String: Any], _ place: String) -> String? {
        if let reference = form["$ref"] as? String { return trouble(value, found(reference), place) }
        if value is NSNull {
            return form["nullable"] as? Bool == true || form.isEmpty ? nil : "\(place) is null"
        }
        switch form["type"] as? String {
        case "string":
            guard let text = value as? String else { return "\(place) is no text" }
            if let words = form["enum"] as? [String], !words.contains(text) { return "\(place) is \(text)" }
            if let pattern = form["pattern"] as? String,
                text.range(of: pattern, options: .regularExpression) == nil
            {
                return "\(place) is \(text)"
            }
            return nil
        case "integer": return value is Int ? nil : "\(place) is no number"
        case "boolean": return value is Bool ? nil : "\(place) is no boolean"
        case "array":
            guard let list = value as? [Any] else { return "\(place) is no list" }
            let items = form["items"] as? [String: Any] ?? [:]
            return list.lazy.compactMap { self.trouble($0, items, place + "[]") }.first
        case "object":
            guard let object = value as? [String: Any] else { return "\(place) is no object" }
            return trouble(object, form, place)
        default: return nil
        }
    }

    private func trouble(_ object: [String: Any], _ form: [String: Any], _ place: String) -> String? {
        let properties = form["properties"] as? [String: [String: Any]] ?? [:]
        for name in form["required"] as? [String] ?? [] where object[name] == nil {
            return "\(place).\(name) is missing"
        }
        for (name, value) in object {
            let known = properties[name] ?? form["additionalProperties"] as? [String: Any]
            guard let known else { return "\(place).\(name) is not described" }
            if let trouble = trouble(value, known, "\(place).\(name)") { return trouble }
        }
        return nil
    }
}
