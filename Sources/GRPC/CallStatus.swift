// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// How a call ended: its `grpc-status`, `grpc-message` and `grpc-status-details-bin`.
///
/// A handler throws one to end its call with it, and a client's call throws the one that it got unless it is `ok`.
public struct CallStatus: CodedError, Hashable, CustomStringConvertible {
    /// The status codes of gRPC.
    public enum Code: Int, CaseIterable, Sendable {
        case ok = 0
        case cancelled
        case unknown
        case invalidArgument
        case deadlineExceeded
        case notFound
        case alreadyExists
        case permissionDenied
        case resourceExhausted
        case failedPrecondition
        case aborted
        case outOfRange
        case unimplemented
        case `internal`
        case unavailable
        case dataLoss
        case unauthenticated

        /// As the specification spells it.
        public var name: String {
            switch self {
            case .ok: "OK"
            case .cancelled: "CANCELLED"
            case .unknown: "UNKNOWN"
            case .invalidArgument: "INVALID_ARGUMENT"
            case .deadlineExceeded: "DEADLINE_EXCEEDED"
            case .notFound: "NOT_FOUND"
            case .alreadyExists: "ALREADY_EXISTS"
            case .permissionDenied: "PERMISSION_DENIED"
            case .resourceExhausted: "RESOURCE_EXHAUSTED"
            case .failedPrecondition: "FAILED_PRECONDITION"
            case .aborted: "ABORTED"
            case .outOfRange: "OUT_OF_RANGE"
            case .unimplemented: "UNIMPLEMENTED"
            case .internal: "INTERNAL"
            case .unavailable: "UNAVAILABLE"
            case .dataLoss: "DATA_LOSS"
            case .unauthenticated: "UNAUTHENTICATED"
            }
        }
    }

    public var status: Code
    public var message: String
    /// A serialized `google.rpc.Status`, or empty.
    public var details: [UInt8]

    public init(_ status: Code, _ message: String = "", details: [UInt8] = []) {
        self.status = status
        self.message = message
        self.details = details
    }

    /// The status that tells a peer of `error`: its own, that of its place in the vocabulary, or `unknown` without a
    /// word of what is inside.
    public init(_ error: any Error) {
        switch error {
        case let status as CallStatus: self = status
        case is CancellationError: self.init(.cancelled)
        case let coded as any CodedError:
            self.init(Code(rawValue: coded.code.category.grpc) ?? .unknown, coded.message)
        default: self.init(.unknown, "the call failed")
        }
    }

    public var code: ErrorCode {
        switch status {
        case .ok, .unknown, .internal, .dataLoss: .internalError
        case .cancelled: .cancelled
        case .invalidArgument, .outOfRange: .invalidArgument
        case .deadlineExceeded: .deadlineExceeded
        case .notFound: .notFound
        case .alreadyExists, .aborted: .conflict
        case .permissionDenied: .permissionDenied
        case .resourceExhausted: .quotaExceeded
        case .failedPrecondition: .wrongState
        case .unimplemented: .unsupported
        case .unavailable: .unavailable
        case .unauthenticated: .unauthenticated
        }
    }

    public var description: String { message.isEmpty ? status.name : "\(status.name): \(message)" }

    /// What a client makes of a response that no gRPC server gave.
    static func fromHTTP(_ status: String?) -> CallStatus {
        let text = "the peer answered with HTTP status \(status ?? "none")"
        switch status {
        case "400": return CallStatus(.internal, text)
        case "401": return CallStatus(.unauthenticated, text)
        case "403": return CallStatus(.permissionDenied, text)
        case "404": return CallStatus(.unimplemented, text)
        case "429", "502", "503", "504": return CallStatus(.unavailable, text)
        default: return CallStatus(.unknown, text)
        }
    }
}
