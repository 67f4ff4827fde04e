// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
internal import HTTP
internal import HTTP2
internal import Keyring

/// Whether the server can do what it is for. What it found counts for a second, so that nobody who asks often is a
/// burden to the database and the key service.
public final class Readiness: Sendable {
    private let checks: [(name: String, check: @Sendable () async throws -> Void)]
    private let clock: Clock
    private let last = Lock<(time: Moment, troubles: [Trouble])?>(nil)

    /// Something that is not as it should be.
    public struct Trouble: Sendable, Hashable {
        public let part: String
        public let code: ErrorCode
    }

    /// Each check throws when its part is not there.
    public init(
        _ checks: [(name: String, check: @Sendable () async throws -> Void)], clock: @escaping Clock
    ) {
        self.checks = checks
        self.clock = clock
    }

    private static let life: Duration = .seconds(1)

    public func troubles() async -> [Trouble] {
        let now = clock()
        let known = last.withLock { last -> [Trouble]? in
            if let last, last.time <= now, now < last.time + Self.life { return last.troubles }
            // Whoever asks while we look hears what was found before.
            if let old = last { last = (now, old.troubles) }
            return nil
        }
        if let known { return known }
        var troubles: [Trouble] = []
        for (name, check) in checks {
            do {
                try await check()
            } catch {
                troubles.append(
                    Trouble(part: name, code: (error as? any CodedError)?.code ?? .internalError))
            }
        }
        last.withLock { [troubles] in $0 = (now, troubles) }
        return troubles
    }
}

/// The pages for those who watch the server, at an address of their own and without TLS.
struct StatusPages {
    let readiness: Readiness
    let metrics: Metrics

    var router: Router {
        var router = Router()
        let (readiness, metrics) = (readiness, metrics)
        router.get("/livez") { _ in .text("alive\n") }
        router.get("/readyz") { _ in
            let troubles = await readiness.troubles()
            guard !troubles.isEmpty else { return .text("ready\n") }
            let lines = troubles.map { "\($0.part): \($0.code.id)\n" }.joined()
            return .text(lines, status: .serviceUnavailable)
        }
        router.get("/metrics") { _ in
            Response(.ok, fields: ["content-type": Metrics.contentType], body: metrics.text)
        }
        return router
    }
}
