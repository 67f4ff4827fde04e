// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP2

extension Router {
    /// Answers a request; what goes wrong is answered as a problem document. This is all of a service but its sockets.
    public func answer(_ request: Request) async -> Response {
        do {
            return try await route(request)
        } catch {
            return Problem(of: error, in: request).response
        }
    }

    private func route(_ request: Request) async throws -> Response {
        if let refusal = request.refusal { throw refusal }
        if request.target.isServer {
            guard request.method == .options else { throw HTTPError.malformed("* is for OPTIONS alone") }
            return Response(.noContent, fields: ["allow": Self.list(allMethods)])
        }
        switch match(request.method, request.target.segments) {
        case .none:
            throw HTTPError(.notFound, "nothing is at this path")
        case .otherMethods(let methods):
            let allow: HeaderFields = ["allow": Self.list(methods)]
            if request.method == .options { return Response(.noContent, fields: allow) }
            throw HTTPError(
                .methodNotAllowed, "this path knows the methods \(Self.list(methods))",
                status: .methodNotAllowed, fields: allow)
        case .route(let route, let parameters):
            try Self.judge(request, by: route.options)
            request.body.limit = route.options.body
            var request = request
            request.parameters = parameters
            request.report.route = route.pattern
            request.setTimeout(route.options.timeout)
            return try await enter(layers[...], request, route.handler)
        }
    }

    /// Calls the layers from the outside in, and then the handler.
    private func enter(
        _ layers: ArraySlice<Layer>, _ request: Request, _ handler: @escaping Route.Handler
    ) async throws -> Response {
        guard let layer = layers.first else { return try await handler(request) }
        return try await layer(request) { request in
            try await enter(layers.dropFirst(), request, handler)
        }
    }

    private static func list(_ methods: [Method]) -> String {
        methods.map(\.rawValue).joined(separator: ", ")
    }

    /// What can be said before the handler runs and before the body comes.
    private static func judge(_ request: Request, by options: Route.Options) throws(HTTPError) {
        if let length = request.body.length, length > options.body { throw .bodyTooLarge(options.body) }
        if !options.consumes.isEmpty, !request.body.isEmpty {
            try request.expectContent(options.consumes)
        }
        if !options.produces.isEmpty, !request.accepts(anyOf: options.produces) {
            throw HTTPError(
                .notAcceptable, "the answer can be \(options.produces.joined(separator: " or "))",
                status: .notAcceptable)
        }
    }
}
