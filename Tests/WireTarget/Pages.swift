// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import HTTP2

/// An HTTP server with one page, which answers like the bare server.
enum Pages {
    static let server: Server = {
        var router = Router()
        router.post("/wire.Target/Echo") { request in
            let body = try await request.body.whole()
            guard let size = request.fields["x-size"].flatMap({ Int($0) }) else {
                return Response(body: request.fields.values(of: "x-test").flatMap { Array($0.utf8) } + body)
            }
            return Response { writer in
                var left = size
                while left > 0 {
                    let count = min(left, 16 << 10)
                    left -= count
                    try await writer.write([UInt8](repeating: 0x78, count: count))
                }
            }
        }
        return Server(router)
    }()
}
