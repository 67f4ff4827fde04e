// SPDX-License-Identifier: Apache-2.0

/// Finds the route of a request. It is a value that is filled once and then only read; it knows no socket.
///
/// A pattern is a path whose segments are literals or `{name}`, which stands for any one segment. Where both could
/// match, the literal wins; a parameter is tried when the literal leads nowhere. Two routes of one pattern and method
/// are a mistake that stops the program when it starts.
///
/// ```swift
/// var router = Router()
/// router.get("/keys/{id}") { request in
///     .json(try await keys.read(request.path("id", as: Int.self)))
/// }
/// router.post("/keys", Route.Options(body: 64 << 10)) { request in
///     .json(try await keys.make(request.json(NewKey.self)), status: .created)
/// }
/// ```
public struct Router: Sendable {
    /// What a path and a method lead to.
    public enum Match: Sendable {
        case route(Route, [String: String])
        /// The path is known; the methods that it has.
        case otherMethods([Method])
        case none
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: Int?
        var routes: [Method: Route] = [:]
    }

    private var nodes = [Node()]
    var layers: [Layer] = []
    /// Whether a route has bodies with secrets. Which route it is shows in a body's head, when its first bytes may have come
    /// already, so that all that comes in is wiped then.
    private(set) var takesSecrets = false

    public init() {}

    /// Something around every handler, the first added outermost: authentication, quotas, fields of every answer.
    public typealias Layer =
        @Sendable (Request, _ next: @Sendable (Request) async throws -> Response) async throws -> Response

    public mutating func around(_ layer: @escaping Layer) { layers.append(layer) }

    public mutating func get(
        _ pattern: String, _ options: Route.Options = Route.Options(), _ handler: @escaping Route.Handler
    ) { add(.get, pattern, options, handler) }

    public mutating func post(
        _ pattern: String, _ options: Route.Options = Route.Options(), _ handler: @escaping Route.Handler
    ) { add(.post, pattern, options, handler) }

    public mutating func put(
        _ pattern: String, _ options: Route.Options = Route.Options(), _ handler: @escaping Route.Handler
    ) { add(.put, pattern, options, handler) }

    public mutating func patch(
        _ pattern: String, _ options: Route.Options = Route.Options(), _ handler: @escaping Route.Handler
    ) { add(.patch, pattern, options, handler) }

    public mutating func delete(
        _ pattern: String, _ options: Route.Options = Route.Options(), _ handler: @escaping Route.Handler
    ) { add(.delete, pattern, options, handler) }

    public mutating func add(
        _ method: Method, _ pattern: String, _ options: Route.Options = Route.Options(),
        _ handler: @escaping Route.Handler
    ) {
        precondition(pattern.hasPrefix("/"), "a pattern begins with a slash: \(pattern)")
        let parts =
            pattern == "/" ? [] : pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if options.isSecret { takesSecrets = true }
        var node = 0
        var names: [String] = []
        for part in parts {
            if part.hasPrefix("{"), part.hasSuffix("}"), part.count > 2 {
                names.append(String(part.dropFirst().dropLast()))
                node = child(of: node, \.parameter)
            } else {
                precondition(!part.contains { "{}".contains($0) }, "a brace inside a segment: \(pattern)")
                node = child(of: node, \.literals[String(part)])
            }
        }
        precondition(Set(names).count == names.count, "two parameters of one name: \(pattern)")
        precondition(nodes[node].routes[method] == nil, "a second route for \(method) \(pattern)")
        nodes[node].routes[method] = Route(
            method: method, pattern: pattern, parameters: names, options: options, handler: handler)
    }

    private mutating func child(of node: Int, _ place: WritableKeyPath<Node, Int?>) -> Int {
        if let known = nodes[node][keyPath: place] { return known }
        nodes.append(Node())
        nodes[node][keyPath: place] = nodes.count - 1
        return nodes.count - 1
    }

    // MARK: Finding

    public func match(_ method: Method, _ segments: [String]) -> Match {
        var values: [String] = []
        guard let node = find(segments[...], from: 0, &values) else { return .none }
        let routes = nodes[node].routes
        // HEAD is answered as GET, without the body.
        guard let route = routes[method] ?? (method == .head ? routes[.get] : nil) else {
            return .otherMethods(Self.allowed(Array(routes.keys)))
        }
        return .route(route, Dictionary(uniqueKeysWithValues: zip(route.parameters, values)))
    }

    private func find(_ rest: ArraySlice<String>, from node: Int, _ values: inout [String]) -> Int? {
        guard let segment = rest.first else { return nodes[node].routes.isEmpty ? nil : node }
        if let literal = nodes[node].literals[segment],
            let found = find(rest.dropFirst(), from: literal, &values)
        {
            return found
        }
        guard !segment.isEmpty, let parameter = nodes[node].parameter else { return nil }
        values.append(segment)
        if let found = find(rest.dropFirst(), from: parameter, &values) { return found }
        values.removeLast()
        return nil
    }

    /// Every method that some route has.
    var allMethods: [Method] { Self.allowed(nodes.flatMap(\.routes.keys)) }

    private static func allowed(_ methods: [Method]) -> [Method] {
        var all = Set(methods)
        if all.contains(.get) { all.insert(.head) }
        all.insert(.options)
        return all.sorted { $0.rawValue < $1.rawValue }
    }
}
