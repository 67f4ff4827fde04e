// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import GRPC
public import Protobuf

/// Why a job or a call failed, as it crosses the wire and as it arrives.
///
/// ```
/// message Failure { string code = 1; string message = 2; uint32 status = 3; optional uint32 retry_after_ms = 4; }
/// ```
public struct Failure: CodedError, ProtobufMessage, Hashable, CustomStringConvertible {
    /// The code as it stands on the wire. A newer peer may use one that is not known here.
    public let id: String
    public let message: String
    /// The gRPC status that stands for it.
    public let status: CallStatus.Code
    /// When trying again makes sense, after how long; whole milliseconds, rounded up.
    public let retryAfter: Duration?

    public init(_ code: ErrorCode, _ message: String, retryAfter: Duration? = nil) {
        id = code.id
        self.message = Self.cut(message)
        status = CallStatus.Code(rawValue: code.category.grpc) ?? .unknown
        self.retryAfter = retryAfter.map { .milliseconds(Int64(Self.milliseconds($0))) }
    }

    /// What a peer may know of `error`: an error without a place in the vocabulary tells nothing of the inside.
    public init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let status as CallStatus: self.init(status)
        case is CancellationError: self.init(.cancelled, "the call was cancelled")
        case let malformed as ProtobufError: self.init(.malformedInput, "\(malformed)")
        case let coded as any CodedError: self.init(coded.code, coded.message)
        default: self.init(.internalError, "the server failed; its log holds the details")
        }
    }

    /// Its entry in the vocabulary; for an unknown code the one that its status stands for.
    public var code: ErrorCode { Self.vocabulary[id] ?? CallStatus(status).code }

    public var description: String { "\(id): \(message)" }

    // MARK: Wire

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        var (id, message, status) = ("", "", UInt32(0))
        var retry: UInt32?
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try reader.string(field, limit: SigningLimits.code)
            case 2: message = try reader.string(field, limit: SigningLimits.failureMessage)
            case 3: status = try reader.uint32(field)
            case 4: retry = try reader.uint32(field)
            default: try reader.skip(field)
            }
        }
        self.id = id
        self.message = message
        // There is no failure that is none.
        let code = Int(exactly: status).flatMap { CallStatus.Code(rawValue: $0) }
        self.status = code.flatMap { $0 == .ok ? nil : $0 } ?? .unknown
        retryAfter = retry.map { .milliseconds(Int64($0)) }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, id)
        writer.string(2, message)
        writer.uint32(3, UInt32(truncatingIfNeeded: status.rawValue))
        if let retryAfter { writer.uint32(4, Self.milliseconds(retryAfter), always: true) }
    }

    // MARK: Parts

    private static let vocabulary = Dictionary(ErrorCode.all.map { ($0.id, $0) }) { first, _ in first }

    private static func milliseconds(_ duration: Duration) -> UInt32 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let rest = UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        return UInt32(clamping: UInt64(min(seconds, 1 << 32)) * 1000 + rest)
    }

    /// At most as many bytes as a reader takes, in whole characters of Unicode.
    private static func cut(_ text: String) -> String {
        let bytes = text.utf8
        guard bytes.count > SigningLimits.failureMessage else { return text }
        var end = bytes.index(bytes.startIndex, offsetBy: SigningLimits.failureMessage)
        while end.samePosition(in: text.unicodeScalars) == nil { end = bytes.index(before: end) }
        return String(text[..<end])
    }
}

// MARK: - As the status of a call

extension CallStatus {
    /// The status that ends a call with `failure`, which stands in its details.
    public init(_ failure: Failure) {
        self.init(failure.status, failure.message, details: StatusDetails(failure).protobuf())
    }
}

extension Failure {
    /// What the details of a status say, or what the status itself does.
    public init(_ status: CallStatus) {
        if !status.details.isEmpty, let details = try? StatusDetails(protobuf: status.details),
            let failure = details.failure
        {
            self = failure
        } else {
            self.init(
                id: status.code.id, status.message.isEmpty ? status.status.name : status.message,
                status: status.status == .ok ? .unknown : status.status,
                retryAfter: status.status == .unavailable ? .zero : nil)
        }
    }

    private init(id: String, _ message: String, status: CallStatus.Code, retryAfter: Duration?) {
        self.id = id
        self.message = Self.cut(message)
        self.status = status
        self.retryAfter = retryAfter
    }
}

/// A `google.rpc.Status` with one detail.
///
/// ```
/// message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
/// message Any { string type_url = 1; bytes value = 2; }
/// ```
struct StatusDetails: ProtobufMessage {
    var code: Int32 = 0
    var message = ""
    var failure: Failure?

    init(_ failure: Failure) {
        code = Int32(truncatingIfNeeded: failure.status.rawValue)
        message = failure.message
        self.failure = failure
    }

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        var details: [Detail] = []
        while let field = try reader.next() {
            switch field.number {
            case 1: code = try reader.int32(field)
            case 2: message = try reader.string(field)
            case 3: try reader.messages(field, into: &details, limit: 16)
            default: try reader.skip(field)
            }
        }
        for detail in details where detail.type == Detail.failure && failure == nil {
            failure = try Failure(protobuf: detail.value)
        }
    }

    func write(to writer: inout ProtobufWriter) {
        writer.int32(1, code)
        writer.string(2, message)
        if let failure { writer.message(3, Detail(type: Detail.failure, value: failure.protobuf())) }
    }

    private struct Detail: ProtobufMessage {
        static let failure = "type.googleapis.com/signet.v1.Failure"

        var type = ""
        var value: [UInt8] = []

        init(type: String, value: [UInt8]) {
            self.type = type
            self.value = value
        }

        init(reading reader: inout ProtobufReader) throws(ProtobufError) {
            while let field = try reader.next() {
                switch field.number {
                case 1: type = try reader.string(field)
                case 2: value = try reader.bytes(field)
                default: try reader.skip(field)
                }
            }
        }

        func write(to writer: inout ProtobufWriter) {
            writer.string(1, type)
            writer.bytes(2, value)
        }
    }
}
