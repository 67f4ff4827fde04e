// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import HTTP2
import Testing
import Transport

/// What went through a server under test, for tests that ask.
final class Witness: Sendable {
    struct Seen: Sendable, Equatable {
        var route: String?
        var status: Int?
        var isComplete: Bool
        var hasFault: Bool
    }

    let seen = Lock<[Seen]>([])

    func observe(_ report: RequestReport) {
        let seen = Seen(
            route: report.route, status: report.status?.rawValue, isComplete: report.isComplete,
            hasFault: report.fault != nil)
        self.seen.withLock { $0.append(seen) }
    }
}

struct Note: Codable, Equatable {
    var id: Int
    var text: String
}

struct Unspeakable: Error, CustomStringConvertible {
    var description: String { "the password is swordfish" }
}

struct Wrong: CodedError {
    let code: ErrorCode
    let message: String
}

/// The service that all tests speak to.
enum Desk {
    /// Requests for /gate that came, and whether they are let through.
    static let gate = Lock<(arrived: Int, isOpen: Bool)>((0, false))
    static let uploads = Lock<(arrived: Int, isOpen: Bool)>((0, false))

    static let router: Router = {
        var router = Router()
        router.get("/") { _ in .text("root") }
        router.get("/notes/{id}") { request in
            let id = try request.path("id", as: Int.self)
            guard id < 100 else { throw HTTPError(.notFound, "no note \(id)") }
            let response = try Response.json(Note(id: id, text: "note"))
            let tag = EntityTag(version: UInt64(id))
            return try request.judge(current: tag) ?? response.tagged(tag)
        }
        router.put("/notes/{id}", Route.Options(body: 64)) { request in
            let tag = EntityTag(version: 7)
            if let answer = try request.judge(current: tag) { return answer }
            return try .json(try await request.json(Note.self), status: .created)
        }
        router.get("/notes/new") { _ in .text("literal") }
        router.get("/notes/{id}/parts/{part}") { request in
            .text("\(request.parameters["id"] ?? "") \(request.parameters["part"] ?? "")")
        }
        router.get("/notes/new/{what}") { _ in .text("deep literal") }
        router.get("/search") { request in
            try request.query.allow(["q", "page"])
            let page = try request.query.value("page", as: Int.self) ?? 1
            return .text("\(try request.query.required("q")) \(page)")
        }
        router.post("/echo", Route.Options(body: 1 << 20)) { request in
            Response(
                fields: ["content-type": "application/octet-stream"], body: try await request.body.whole())
        }
        router.post("/sum", Route.Options(body: 64 << 20)) { request in
            var count = 0
            while let piece = try await request.body.read() { count += piece.count }
            return .text("\(count)")
        }
        router.post("/text", Route.Options(consumes: ["text/plain"], produces: ["text/plain"])) { _ in
            .text("ok")
        }
        router.post("/ignore") { _ in .text("ignored") }
        router.get("/stream/{count}") { request in
            let count = try request.path("count", as: Int.self)
            return Response { writer in
                for _ in 0..<count { try await writer.write([UInt8](repeating: 0x61, count: 1000)) }
            }
        }
        router.get("/known/{count}") { request in
            let count = try request.path("count", as: Int.self)
            return Response(length: UInt64(count)) { writer in
                try await writer.write([UInt8](repeating: 0x62, count: count))
            }
        }
        router.get("/short") { _ in
            Response(length: 10) { writer in try await writer.write([1, 2, 3]) }
        }
        router.get("/broken") { _ in
            Response { writer in
                try await writer.write([1, 2, 3])
                throw Unspeakable()
            }
        }
        router.get("/fail/unknown") { _ in throw Unspeakable() }
        router.get("/fail/internal") { _ in throw Wrong(code: .internalError, message: "swordfish") }
        router.get("/fail/coded") { _ in throw Wrong(code: .conflict, message: "it is taken") }
        router.get("/fail/field") { _ in Response(fields: ["x-bad": "a\r\nset-cookie: b"]) }
        router.get("/hang", Route.Options(timeout: .milliseconds(50))) { _ in
            try await Task.sleep(for: .seconds(60))
            return .text("never")
        }
        router.get("/gate") { _ in
            gate.withLock { $0.arrived += 1 }
            while !gate.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(2)) }
            return .text("through")
        }
        router.post("/gate/sum", Route.Options(body: 64 << 20)) { request in
            uploads.withLock { $0.arrived += 1 }
            while !uploads.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(2)) }
            return .text("\(try await request.body.whole().count)")
        }
        router.get("/nothing") { _ in Response(.noContent) }
        router.get("/who") { request in
            .text(request.peer?.dnsNames.joined(separator: ",") ?? "nobody")
        }
        router.get("/caller") { request in .text(request.caller as? String ?? "") }
        router.around { request, next in
            var request = request
            request.caller = request.fields["x-caller"]
            if request.fields["x-caller"] == "eve" { throw HTTPError(.unauthenticated, "not you") }
            return try await next(request)
        }
        return router
    }()
}

/// A server on a port of its own.
final class DeskServer: Sendable {
    let loops: EventLoops
    let listener: Listener
    let witness = Witness()
    var port: UInt16 { listener.address.port }
    var endpoint: Endpoint {
        if case .unix(let path) = listener.address { return .unix(path) }
        return .host("127.0.0.1", port: port)
    }

    init(
        limits: ServerLimits = ServerLimits(), transport: TransportLimits = TransportLimits(),
        security: Security = .plain, at address: Address? = nil, clock: LoopClock = .monotonic
    ) throws {
        loops = try EventLoops(count: 2, clock: clock)
        let server = Server(Desk.router, limits: limits) { [witness] in witness.observe($0) }
        let address = address ?? Address("127.0.0.1", port: 0) ?? .unix("")
        listener = try Listener(at: address, loops: loops, security: security, limits: transport) {
            server.serve($0)
        }
    }

    deinit { Self.stop(loops) }

    private static func stop(_ loops: EventLoops) { loops.stop() }

    /// Sends bytes as they are and returns all that comes until the server closes.
    /// With `behindTheFirstAnswer`, that is sent when something has come, and then the end.
    func raw(
        _ text: String, half: Bool = true, within time: Duration = .seconds(60),
        behindTheFirstAnswer rest: String? = nil
    ) async throws -> String {
        let back = try await raw(
            Array(text.utf8), half: half && rest == nil, within: time, rest: rest.map { Array($0.utf8) })
        return String(decoding: back, as: UTF8.self)
    }

    func raw(
        _ bytes: [UInt8], half: Bool = true, within time: Duration = .seconds(60), rest: [UInt8]? = nil
    ) async throws -> [UInt8] {
        let loop = loops.all[0]
        let endpoint = endpoint
        let task = Task(executorPreference: loop) {
            let box = Lock<LoopBound<ByteStream>?>(nil)
            _ = try await Connector(security: .plain).connect(to: endpoint, on: loop) {
                let stream = ByteStream($0)
                box.withLock { $0 = LoopBound(stream, on: loop) }
                return stream
            }
            guard let bound = box.withLock({ $0 }) else { return [UInt8]() }
            let timer = loop.schedule(after: time) { bound.value.connection.abort(.idle) }
            defer { loop.cancel(timer) }
            let writing = Task(executorPreference: loop) {
                try? await bound.value.write(bytes)
                if half { bound.value.finish() }
            }
            var back: [UInt8] = []
            do {
                while let part = try await bound.value.read() {
                    if back.isEmpty, let rest {
                        try await bound.value.write(rest)
                        bound.value.finish()
                    }
                    back += part
                }
            } catch {
                back += Array("<cut>".utf8)
            }
            await writing.value
            bound.value.connection.close()
            return back
        }
        return try await task.value
    }
}
