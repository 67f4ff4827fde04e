// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    /// How an error maps to the outside: one row each for REST, gRPC and the command line.
    public enum Category: String, CaseIterable, Sendable {
        case invalidInput
        case notAuthenticated
        case notAllowed
        case notFound
        case conflict
        case wrongState
        case exhausted
        case unavailable
        case deadline
        case cancelled
        case badSignature
        case configuration
        case unsupported
        case `internal`

        /// The HTTP status of a problem document.
        public var http: Int {
            switch self {
            case .invalidInput, .configuration: 400
            case .notAuthenticated: 401
            case .notAllowed: 403
            case .notFound: 404
            case .conflict, .wrongState: 409
            case .badSignature: 422
            case .exhausted: 429
            case .cancelled: 499
            case .internal: 500
            case .unsupported: 501
            case .unavailable: 503
            case .deadline: 504
            }
        }

        /// The gRPC status number.
        public var grpc: Int {
            switch self {
            case .cancelled: 1
            case .invalidInput, .badSignature, .configuration: 3
            case .deadline: 4
            case .notFound: 5
            case .conflict: 6
            case .notAllowed: 7
            case .exhausted: 8
            case .wrongState: 9
            case .unsupported: 12
            case .internal: 13
            case .unavailable: 14
            case .notAuthenticated: 16
            }
        }

        /// The exit code of a command that failed for this cause alone.
        public var exit: Int32 {
            switch self {
            case .invalidInput, .conflict, .wrongState, .unsupported, .internal: 1
            case .configuration: 2
            case .notAuthenticated, .notAllowed: 3
            case .notFound: 4
            case .exhausted, .unavailable, .deadline: 5
            case .badSignature: 6
            case .cancelled: 130
            }
        }
    }
}
