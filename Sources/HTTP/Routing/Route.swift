// SPDX-License-Identifier: Apache-2.0

/// One way into a service: a method, a pattern and what answers there.
public struct Route: Sendable {
    /// A plain `async` function; it runs on the loop of the request's connection.
    public typealias Handler = @Sendable (Request) async throws -> Response

    public struct Options: Sendable {
        /// The largest body in bytes; a larger one is refused with 413.
        public var body: Int
        /// The media types that a body may have; others are refused with 415. Empty for any.
        public var consumes: [String]
        /// The media types that the answer may have; a request that accepts none of them is refused with 406. Empty
        /// for whatever comes.
        public var produces: [String]
        /// From the request's head to the answer's; then 504.
        public var timeout: Duration
        /// Bodies hold secrets: what comes in is wiped once it was read.
        public var isSecret: Bool

        public init(
            body: Int = 1 << 20, consumes: [String] = [], produces: [String] = [],
            timeout: Duration = .seconds(120), isSecret: Bool = false
        ) {
            self.body = body
            self.consumes = consumes
            self.produces = produces
            self.timeout = timeout
            self.isSecret = isSecret
        }
    }

    public let method: Method
    public let pattern: String
    let parameters: [String]
    public let options: Options
    let handler: Handler
}
