// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import Protobuf

/// The client's half: the three methods over a channel. It lives on the loop of its channel, and throws a `Failure`.
public struct SigningChannel {
    public let channel: Channel

    public init(_ channel: Channel) { self.channel = channel }

    /// Opens a stream of jobs to one of the servers. Whoever opens it ends it: by taking replies to the end, or with
    /// `cancel`.
    public func sign(_ options: CallOptions = CallOptions()) async throws(Failure) -> SignStream {
        try await failing { SignStream(try await channel.open(path("Sign"), options)) }
    }

    public func describeKey(
        _ key: String, _ options: CallOptions = CallOptions()
    ) async throws(Failure) -> KeyDescription {
        let request = DescribeKeyRequest(key: key)
        return try await failing {
            try await channel.unary(path("DescribeKey"), request, KeyDescription.self, options)
        }
    }

    /// One page; `ListKeysReply.nextPageToken` asks for the next.
    public func listKeys(
        _ request: ListKeysRequest = ListKeysRequest(), _ options: CallOptions = CallOptions()
    ) async throws(Failure) -> ListKeysReply {
        try await failing { try await channel.unary(path("ListKeys"), request, ListKeysReply.self, options) }
    }

    private func path(_ method: String) -> String { "/\(SigningLimits.serviceName)/\(method)" }
}

/// One call of Sign as the client sees it.
public struct SignStream {
    public let call: ClientCall

    init(_ call: ClientCall) { self.call = call }

    /// Sends a message; waits while the server is slow to take what was sent before.
    public func send(_ request: SignRequest) async throws(Failure) {
        try await failing { try await call.send(request.protobuf()) }
    }

    /// Sends a whole job, its content in as many parts as it needs.
    public func send(whole request: SignRequest) async throws(Failure) {
        guard case .content(let content) = request.claim, content.count > SigningLimits.part else {
            return try await send(request)
        }
        var first = request
        first.claim = .content(Array(content[..<SigningLimits.part]))
        first.more = true
        try await send(first)
        var start = SigningLimits.part
        while start < content.count {
            let end = min(start + SigningLimits.part, content.count)
            let part = SignRequest(
                part: Array(content[start..<end]), of: request.job, more: end < content.count)
            try await send(part)
            start = end
        }
    }

    /// Says that no job follows.
    public func finishSending() { call.finishSending() }

    /// The next reply, in the order in which they are ready; nil when the server has answered all.
    public func next() async throws(Failure) -> SignReply? {
        try await failing {
            guard let bytes = try await call.next() else { return nil }
            return try SignReply(protobuf: bytes)
        }
    }

    public func cancel() { call.cancel() }
}

private func failing<Value>(_ body: () async throws -> Value) async throws(Failure) -> Value {
    do { return try await body() } catch { throw Failure(error) }
}
