// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP2
internal import Transport

/// A client's connection of HTTP/1.1: one call after the other. Anything that a service sends without having been asked,
/// or behind its answer, ends it.
final class ClientConnection: ConnectionHandler {
    /// Why a call has no answer.
    enum Failure: Error {
        /// Nothing of the answer had come.
        case lost(CloseReason)
        case refused(HTTPError)
    }

    private struct Call {
        let continuation: CheckedContinuation<Result<ClientResponse, Failure>, Never>
        let method: Method
        let limit: Int
        let secret: SecretBody?
        var head: MessageHead?
        var informational = 0
        var body: [UInt8] = []
        /// Bytes of the body so far.
        var count: Int { secret?.count ?? body.count }
    }

    let connection: Connection
    /// Told once, when it can be used no more.
    var whenOver: () -> Void = {}
    private var parser = MessageParser(.responses)
    private var call: Call?
    private var output = RequestWire.plain([])
    private var sent = 0
    private var isOver = false
    private var reason = CloseReason.cut

    init(_ connection: Connection) { self.connection = connection }

    /// How many calls went over it.
    private(set) var calls = 0

    /// Whether another call may go over it.
    var isReusable: Bool { !isOver && call == nil && connection.isOpen && parser.isBetweenMessages }

    /// Sends a request and waits for the whole answer.
    func send(_ bytes: RequestWire, _ method: Method, limit: Int, into secret: SecretBody? = nil) async
        -> Result<
            ClientResponse, Failure
        >
    {
        guard isReusable else { return .failure(.lost(reason)) }
        return await withCheckedContinuation { continuation in
            call = Call(continuation: continuation, method: method, limit: limit, secret: secret)
            connection.wipesInput = connection.wipesInput || secret != nil
            parser.answeredMethod = method.rawValue
            connection.isBusy = true
            (output, sent) = (bytes, 0)
            calls += 1
            produce(room: connection.limits.outputHigh, on: connection)
        }
    }

    /// Gives the call up; the connection with it, since its answer may still come.
    func abandon() { end(.lost(.abandoned), .abandoned) }

    // MARK: From the connection

    func produce(room: Int, on connection: Connection) {
        guard sent < output.count else { return }
        let range = sent..<min(output.count, sent + max(room, 1))
        output.write(range, to: connection)
        sent = range.upperBound
        if sent < output.count { connection.requestOutput() } else { (output, sent) = (.plain([]), 0) }
    }

    func received(_ bytes: Span<UInt8>, on connection: Connection) {
        guard !isOver else { return }
        guard call != nil else { return end(nil, .violation("the service sent what was not asked")) }
        var offset = 0
        do throws(MessageError) {
            while call != nil, let event = try parser.next(bytes, from: &offset) {
                try take(event, of: bytes)
            }
        } catch {
            return end(.refused(Self.invalid(error.reason)), .violation(error.reason))
        }
        if call == nil, offset < bytes.count {
            end(nil, .violation("the service sent more than its answer"))
        }
    }

    private func take(_ event: MessageParser.Event, of bytes: Span<UInt8>) throws(MessageError) {
        switch event {
        case .head(let head):
            guard case .response(let status) = head.start else { return }
            if status.isInformational {
                call?.informational += 1
                guard (call?.informational ?? 0) <= 8 else {
                    throw MessageError("informational answers without an end")
                }
            } else {
                call?.head = head
                if case .length(let length) = head.framing, length > UInt64(call?.limit ?? 0) { tooLarge() }
            }
        case .body(let range):
            guard let count = call?.count, let limit = call?.limit else { return }
            guard range.count <= limit - count else { return tooLarge() }
            guard let secret = call?.secret else {
                call?.body.append(copying: bytes.extracting(range))
                return
            }
            do { try secret.append(bytes.extracting(range)) } catch { noSecretMemory(error) }
        case .end:
            if call?.head != nil { finish() }
        }
    }

    private func noSecretMemory(_ error: any Error) {
        let code = (error as? any CodedError)?.code ?? .unavailable
        end(.refused(HTTPError(code, "no memory for a secret answer: \(error)")), .abandoned)
    }

    private func tooLarge() {
        let limit = call?.limit ?? 0
        let message = "the answer of \(connection.remote) is over the limit of \(limit) bytes"
        end(.refused(HTTPError(.answerTooLarge, message)), .violation("the answer is too large"))
    }

    private func finish() {
        guard let call, let head = call.head, case .response(let status) = head.start else { return }
        self.call = nil
        connection.isBusy = false
        let response = ClientResponse(status: status, fields: head.fields, body: call.body)
        // An answer before the whole request leaves bytes that would be read as the next one.
        if !head.keepsAlive || sent < output.count { end(nil, .done) }
        call.continuation.resume(returning: .success(response))
    }

    func inputEnded(on connection: Connection) {
        do throws(MessageError) {
            if try parser.closed(), call?.head != nil { finish() }
        } catch {
            if call?.head != nil || !parser.isBetweenMessages {
                return end(.refused(Self.invalid(error.reason)), .cut)
            }
        }
        end(.lost(.cut), .done)
    }

    func drain(_ connection: Connection) {
        if call == nil { end(nil, .done) }
    }

    func closed(_ connection: Connection, _ reason: CloseReason) {
        if call?.head != nil {
            end(.refused(Self.invalid("the connection ended in the middle of the answer")), reason)
        } else {
            end(.lost(reason), reason)
        }
    }

    private func end(_ failure: Failure?, _ reason: CloseReason) {
        guard !isOver else { return }
        isOver = true
        self.reason = reason
        if reason == .done { connection.close() } else { connection.abort(reason) }
        let call = call
        self.call = nil
        if let failure { call?.continuation.resume(returning: .failure(failure)) }
        whenOver()
        whenOver = {}
    }

    private static func invalid(_ reason: String) -> HTTPError {
        HTTPError(.answerInvalid, "the answer is refused: \(reason)")
    }
}
