// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Secrets
internal import Transport

/// Calls of a Vault's HTTP API, each with a token: one that is in a file, read again when it does not hold any more, or one
/// that an AppRole's login gave. A token that can be renewed is, when two thirds of its life are over.
///
/// Token and secret id are in secret memory alone, on the wire's buffers too.
final class VaultSession: Sendable {
    private final class Token: Sendable {
        let secret: RequestSecret
        /// Nil for one that lasts.
        let life: Duration?
        let isRenewable: Bool

        init(_ secret: RequestSecret, life: Int, isRenewable: Bool) {
            self.secret = secret
            self.life = life > 0 ? .seconds(life) : nil
            self.isRenewable = isRenewable
        }
    }

    private struct State {
        var token: Token?
        var login: Task<Token, any Error>?
        var renewal: Task<Void, Never>?
    }

    private let settings: VaultSettings
    private let credentials: String?
    private let client: Client
    private let loops: EventLoops
    private let deadline: Duration
    private let state = Lock(State())

    init(_ settings: VaultSettings, deadline: Duration, credentials: String?) throws {
        self.settings = settings
        self.deadline = deadline
        self.credentials = credentials
        let trust = settings.authorities.map { TLSSettings.Trust.authorities(.file($0)) } ?? .system
        let context = try TLSContext(.client(trust: trust))
        loops = try EventLoops(count: 1)
        var limits = Client.Limits()
        limits.deadline = deadline
        limits.connect = deadline
        limits.body = 1 << 16
        // Tries are `SteadyWrapping`'s.
        limits.retry = .none
        client = Client(
            of: ClientService(settings.endpoint), on: loops.next(),
            connector: Connector(security: .tls(context)),
            limits: limits)
    }

    deinit {
        state.withLock { state in
            state.renewal?.cancel()
            state.login?.cancel()
        }
        client.close()
        // The last reference may go on the loop itself, which cannot wait for its own end.
        let loops = loops
        try? Thread.detach(named: "kms-end") { loops.stop() }
    }

    // MARK: Calls

    /// `fault` is what a request that the Vault cannot take means.
    func ask<Value: Sendable>(
        _ request: ClientRequest, fault: ErrorCode,
        _ read: @escaping @Sendable (borrowing SecretBytes, VaultAnswer) throws -> Value
    ) async throws -> Value {
        let token = try await token()
        do {
            return try await send(request, token.secret, fault: fault, read)
        } catch {
            guard (error as? KMSError)?.code == .kmsDenied else { throw error }
            // Its life may be over, or somebody took it back: another one will do, if there is one.
            forget(token)
            let next = try await self.token()
            return try await send(request, next.secret, fault: fault, read)
        }
    }

    /// Without a token and outside of any namespace.
    func askHealth() async throws {
        let request = ClientRequest(
            .get, "/v1/sys/health", query: [("standbyok", "true"), ("perfstandbyok", "true")])
        try await exchange(request, fault: .kmsAnswerMalformed) { body, answer in
            guard answer.flag("sealed", of: body.bytes) == false else { throw Self.malformed }
        }
    }

    /// Whether the token still holds.
    func checkToken() async throws {
        try await ask(ClientRequest(.get, "/v1/auth/token/lookup-self"), fault: .kmsDenied) { _, _ in }
    }

    static let malformed = KMSError(
        .kmsAnswerMalformed, "the Vault's answer is not what its transit engine answers")

    private func send<Value: Sendable>(
        _ request: ClientRequest, _ token: RequestSecret?, fault: ErrorCode,
        _ read: @escaping @Sendable (borrowing SecretBytes, VaultAnswer) throws -> Value
    ) async throws -> Value {
        var request = request
        if let token { request.secretFields = [("x-vault-token", token)] }
        if let namespace = settings.namespace { request.fields.append("x-vault-namespace", namespace) }
        return try await exchange(request, fault: fault, read)
    }

    private func exchange<Value: Sendable>(
        _ request: ClientRequest, fault: ErrorCode,
        _ read: @Sendable (borrowing SecretBytes, VaultAnswer) throws -> Value
    ) async throws -> Value {
        var request = request
        request.fields.append("x-vault-request", "true")
        request.isIdempotent = true
        if request.secretBody != nil { request.fields.append("content-type", "application/json") }
        let response: SecretResponse
        do {
            response = try await client.sendForSecret(request)
        } catch let error as any CodedError {
            let isAnswer = error.code == .answerInvalid || error.code == .answerTooLarge
            throw KMSError(isAnswer ? .kmsAnswerMalformed : .kmsUnavailable, error.message)
        }
        let answer = VaultAnswer(response.body.bytes)
        guard response.status == .ok else {
            let text = answer?.text("errors/0", of: response.body.bytes)
            throw Self.refusal(
                response.status.rawValue, text, fault: fault, retryAfter: response.fields["retry-after"])
        }
        guard let answer else { throw Self.malformed }
        return try read(response.body, answer)
    }

    private static func refusal(_ status: Int, _ text: String?, fault: ErrorCode, retryAfter: String?)
        -> KMSError
    {
        let said = text.map { ": \($0)" } ?? ""
        switch status {
        case 400 where text?.contains("key not found") == true, 404:
            return KMSError(.kmsKeyUnusable, "the Vault has no such key or path\(said)")
        case 400: return KMSError(fault, "the Vault refuses\(said)")
        case 403: return KMSError(.kmsDenied, "the Vault does not let us in\(said)")
        case 429:
            return KMSError(
                .kmsUnavailable, "the Vault asks for fewer calls\(said)",
                retryAfter: .seconds(retryAfter.flatMap { UInt32($0) } ?? 0))
        case 501: return KMSError(.kmsUnavailable, "the Vault is not initialized")
        case 503: return KMSError(.kmsUnavailable, "the Vault is sealed or away\(said)")
        case 412, 472, 473, 500...599: return KMSError(.kmsUnavailable, "the Vault answers \(status)\(said)")
        default: return KMSError(.kmsAnswerMalformed, "the Vault answers \(status)\(said)")
        }
    }

    // MARK: Tokens

    private func token() async throws -> Token {
        let found: (Token?, Task<Token, any Error>?) = state.withLock { state in
            if let token = state.token { return (token, nil) }
            if let login = state.login { return (nil, login) }
            // Whoever waits keeps the session.
            let login = Task.detached { try await self.logIn() }
            state.login = login
            return (nil, login)
        }
        if let token = found.0 { return token }
        guard let login = found.1 else { throw KMSError(.internalError, "no token and no login") }
        return try await login.value
    }

    private func forget(_ token: Token) {
        state.withLock { state in
            guard state.token === token else { return }
            state.token = nil
            state.renewal?.cancel()
            state.renewal = nil
        }
    }

    private func logIn() async throws -> Token {
        let result: Result<Token, any Error>
        do { result = .success(try await makeToken()) } catch { result = .failure(error) }
        state.withLock { state in
            state.login = nil
            guard case .success(let token) = result else { return }
            state.token = token
            state.renewal?.cancel()
            state.renewal = token.life.map { life -> Task<Void, Never> in
                let here = Here(self)
                return Task.detached { await VaultSession.renew(token, life, here) }
            }
        }
        return try result.get()
    }

    private func makeToken() async throws -> Token {
        switch settings.login {
        case .token(let place):
            let secret = RequestSecret(try read(place))
            return try await send(
                ClientRequest(.get, "/v1/auth/token/lookup-self"), secret, fault: .kmsDenied
            ) { body, answer in
                guard let life = answer.number("data/ttl", of: body.bytes) else { throw Self.malformed }
                return Token(
                    secret, life: life, isRenewable: answer.flag("data/renewable", of: body.bytes) ?? false)
            }
        case .appRole(let mount, let role, let place):
            var request = ClientRequest(.post, "/v1/auth/\(mount)/login")
            request.secretBody = try Self.login(role, read(place))
            return try await send(request, nil, fault: .kmsDenied) { body, answer in
                guard let token = try answer.secret("auth/client_token", of: body.bytes),
                    let life = answer.number("auth/lease_duration", of: body.bytes)
                else { throw Self.malformed }
                return Token(
                    RequestSecret(token), life: life,
                    isRenewable: answer.flag("auth/renewable", of: body.bytes) ?? false)
            }
        }
    }

    private static func login(_ role: String, _ secret: borrowing SecretBytes) throws -> RequestSecret {
        let head = Array("{\"role_id\":\"\(role)\",\"secret_id\":\"".utf8)
        let tail = Array("\"}".utf8)
        return RequestSecret(
            try SecretBytes(capacity: head.count + secret.count + tail.count) { output in
                for byte in head { output.append(byte) }
                for index in 0..<secret.count { output.append(secret.bytes[index]) }
                for byte in tail { output.append(byte) }
            })
    }

    /// A token or secret id: one line of visible ASCII without what JSON would escape.
    private func read(_ place: VaultSettings.SecretPlace) throws -> SecretBytes {
        let path = try place.path(credentials, "systemd")
        let secret = try SecretBytes(contentsOf: path, limit: 4096, lastNewline: .dropped)
        guard Self.isOneWord(secret) else {
            throw KMSError(.kmsDenied, "\(path) holds no token or secret id: it is one line")
        }
        return secret
    }

    private static func isOneWord(_ secret: borrowing SecretBytes) -> Bool {
        var isGood = secret.count > 0
        for index in 0..<secret.count {
            let byte = secret.bytes[index]
            if !(0x21...0x7e ~= byte) || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                isGood = false
            }
        }
        return isGood
    }

    // MARK: Renewal

    private final class Here: Sendable {
        private struct Link { weak var session: VaultSession? }
        private let link: Lock<Link>
        init(_ session: VaultSession) { link = Lock(Link(session: session)) }
        var session: VaultSession? { link.withLock { $0.session } }
    }

    /// Renews a token until that does not work any more; then the next call finds another one. It does not keep the session.
    private static func renew(
        _ token: Token, _ first: Duration, _ here: Here
    ) async {
        var life = first
        while !Task.isCancelled {
            var end = ContinuousClock.now + life
            guard (try? await Task.sleep(for: life * 2 / 3)) != nil else { return }
            var next: Duration?
            while next == nil, token.isRenewable, ContinuousClock.now < end {
                do {
                    guard let session = here.session else { return }
                    next = .seconds(try await session.renew(token))
                } catch {
                    guard (error as? KMSError)?.code == .kmsUnavailable else {
                        end = .now
                        break
                    }
                    guard (try? await Task.sleep(for: min(life / 20, .seconds(10)))) != nil else { return }
                }
            }
            // Close to the longest life that a token may have, renewals give ever less.
            guard let next, next >= first / 2 else {
                here.session?.forget(token)
                return
            }
            life = next
        }
    }

    private func renew(_ token: Token) async throws -> Int {
        var request = ClientRequest(.post, "/v1/auth/token/renew-self")
        let body = Array("{}".utf8)
        request.secretBody = RequestSecret(try SecretBytes(copying: body.span))
        return try await send(request, token.secret, fault: .kmsDenied) { body, answer in
            guard let life = answer.number("auth/lease_duration", of: body.bytes), life > 0 else {
                throw Self.malformed
            }
            return life
        }
    }
}
