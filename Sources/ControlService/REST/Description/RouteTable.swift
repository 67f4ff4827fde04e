// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import HTTP2

/// All routes of the API with what each is for: the router and the OpenAPI document are made of it, so that there is no
/// route without a description, and no parameter or body that none names.
struct RouteTable {
    struct Entry: Sendable {
        let method: Method
        let pattern: String
        let operation: Operation

        /// The names in braces.
        var pathParameters: [String] {
            pattern.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }
        }
    }

    private(set) var router: Router
    private(set) var entries: [Entry] = []

    init(_ router: Router = Router()) { self.router = router }

    mutating func get(_ pattern: String, _ operation: Operation, _ handler: @escaping Route.Handler) {
        add(.get, pattern, operation, handler)
    }

    mutating func head(_ pattern: String, _ operation: Operation, _ handler: @escaping Route.Handler) {
        add(.head, pattern, operation, handler)
    }

    mutating func post(_ pattern: String, _ operation: Operation, _ handler: @escaping Route.Handler) {
        add(.post, pattern, operation, handler)
    }

    mutating func patch(_ pattern: String, _ operation: Operation, _ handler: @escaping Route.Handler) {
        add(.patch, pattern, operation, handler)
    }

    mutating func delete(_ pattern: String, _ operation: Operation, _ handler: @escaping Route.Handler) {
        add(.delete, pattern, operation, handler)
    }

    /// The handler runs once the query holds nothing but what the operation names, and who asks is known where that is
    /// needed, before the body is read.
    private mutating func add(
        _ method: Method, _ pattern: String, _ operation: Operation, _ handler: @escaping Route.Handler
    ) {
        let options = Route.Options(
            body: operation.largestBody, consumes: operation.body == nil ? [] : ["application/json"],
            isSecret: operation.isSecret)
        let names = Set(operation.query.map(\.name))
        let isOpen = if case .nothing = operation.need { true } else { false }
        router.add(method, pattern, options) { request in
            if !isOpen { _ = try request.known() }
            try request.query.allow(names)
            return try await handler(request)
        }
        entries.append(Entry(method: method, pattern: pattern, operation: operation))
    }

    /// The table with one more route, which shows all of it.
    func describing(itselfAt pattern: String) throws -> RouteTable {
        var table = self
        let operation = Operation(
            "This description, an OpenAPI 3.0 document", .nothing, conditional: true,
            answer: .json(.map(.any)))
        table.entries.append(Entry(method: .get, pattern: pattern, operation: operation))
        let text = try OpenAPIDocument(table.entries).text
        table.router.get(pattern) { request in
            try request.query.allow([])
            var response = Response(.ok, fields: ["content-type": "application/json"], body: text)
            response.fields.append("cache-control", "public, max-age=300")
            return try request.conditional(response)
        }
        return table
    }
}
