// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Signatures
internal import SigningProtocol
public import Transport

/// Has files signed by a set of data-servers.
public struct SigningClient: Sendable {
    let settings: SigningClientSettings
    /// Where the streams to the servers live.
    let loop: EventLoop

    public init(_ settings: SigningClientSettings, on loop: EventLoop) {
        self.settings = settings
        self.loop = loop
    }

    /// Signs what the order names and tells of each file. It throws what stops the run before the first file: no
    /// server, no such key, a kind that the key does not sign. Cancelling the task stops the run: files under way are
    /// told as signed or interrupted, and of the others nothing is told.
    @discardableResult
    public func sign(
        _ order: SigningOrder, telling listener: @escaping @Sendable (SigningEvent) -> Void
    ) async throws -> SigningSummary {
        let dispatch = DispatchHandle(settings, on: loop) { listener(.waiting($0.code, $0.message)) }
        defer { dispatch.stop() }
        let check = try SignerCheck(try await dispatch.describeKey(order.key))
        if let kind = order.kind, !check.kinds.contains(kind) {
            throw SigningClientError(
                .permissionDenied, "key \(order.key) does not sign files of kind \(kind.rawValue) here")
        }
        try check.check(order.revocationLists, at: settings.now())
        let run = SigningRun(order, settings, check, dispatch, listener)
        try await run.prepare()
        return await withTaskCancellationHandler {
            await run.run()
        } onCancel: {
            run.stop()
        }
    }
}
