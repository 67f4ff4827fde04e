// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import HTTP2

/// The pages for those who watch a server: `/livez`, `/readyz` and `/metrics`, over plain HTTP at an address of their
/// own, which only the machine or the farm's inner network should reach.
enum StatusPages {
    /// `trouble` says why no job is taken now.
    static func router(_ metrics: Metrics, trouble: @escaping @Sendable () -> DataServiceError?) -> Router {
        var router = Router()
        router.get("/livez") { _ in .text("alive\n") }
        router.get("/readyz") { _ in
            guard let trouble = trouble() else { return .text("ready\n") }
            return .text("\(trouble.code.id): \(trouble.message)\n", status: .serviceUnavailable)
        }
        router.get("/metrics") { _ in
            Response(
                .ok, fields: ["content-type": "text/plain; version=0.0.4; charset=utf-8"], body: metrics.text)
        }
        return router
    }
}
