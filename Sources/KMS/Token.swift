// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
public import Keyring
public import Secrets

/// The provider `pkcs11`: an AES key in a token, such as a hardware security module, which wraps with AES-256-GCM inside.
///
/// ```
/// key        = token-label "/" key-label
/// version    = CKA_ID in hexadecimal digits / "-"   ; for a key without one
/// ciphertext = nonce sealed                         ; 12 bytes, and the token's AES-GCM with its tag of 16
/// ```
/// The associated data begins with key and version. A token is asked by one thread at a time. When it lost our session, another
/// is opened; a PIN that it refused is not shown again until the file has another, since tokens count and lock.
public final class Token: KeyWrapping {
    public let provider = "pkcs11"
    private let settings: TokenSettings
    private let credentials: String?
    private let module: TokenModule
    private let state: Lock<State>

    private struct State: ~Copyable {
        var session: UInt?
        /// A PIN that the token refused.
        var refused: SecretBytes?
    }

    public init(_ settings: TokenSettings, credentials: String? = ProviderSettings.credentials()) throws {
        self.settings = settings
        self.credentials = credentials
        module = try TokenModule(settings.module)
        state = Lock(State(session: nil, refused: nil))
    }

    deinit {
        let module = module
        let session = state.withLock { $0.session }
        if let session { module.closeSession(session) }
    }

    private var id: String { settings.label + "/" + settings.key }

    public func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let held = Held(try SecretBytes(copying: secret.bytes))
        let wanted = settings.keyID
        return try await asking { token, session in
            let key = try token.key(session, wanted)
            let version = Self.version(key.id)
            let (nonce, sealed) = try token.module.encrypt(
                session, key: key.handle, held.secret, nonce: try Random.bytes(AESGCM.nonceCount),
                associatedData: token.bound(version, associatedData))
            return WrappedSecret(key: token.id, version: version, ciphertext: nonce + sealed)
        }
    }

    public func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        guard wrapped.key == id else {
            throw KMSError(.kmsKeyUnusable, "wrapped with the key \(wrapped.key), the settings name \(id)")
        }
        guard wrapped.ciphertext.count <= WrappedSecret.largest,
            wrapped.ciphertext.count > AESGCM.nonceCount + AESGCM.tagCount
        else { throw KMSError(.kmsRefused, "a wrapped key of \(wrapped.ciphertext.count) bytes") }
        let wanted = wrapped.version == "-" ? [] : try? Hex.decode(wrapped.version)
        guard let wanted, Self.version(wanted) == wrapped.version else {
            throw KMSError(.kmsKeyUnusable, "wrapped with the version \(wrapped.version), which no key has")
        }
        let opened = try await asking { token, session in
            let key = try token.key(session, wanted)
            return Held(
                try token.module.decrypt(
                    session, key: key.handle, Array(wrapped.ciphertext.dropFirst(AESGCM.nonceCount)),
                    nonce: Array(wrapped.ciphertext.prefix(AESGCM.nonceCount)),
                    associatedData: token.bound(wrapped.version, associatedData)))
        }
        return try opened.copy()
    }

    public func checkHealth() async throws {
        let wanted = settings.keyID
        try await asking { token, session in
            try token.module.checkSession(session)
            _ = try token.key(session, wanted)
        }
    }

    private static func version(_ id: [UInt8]) -> String { id.isEmpty ? "-" : Hex.encode(id) }

    private func bound(_ version: String, _ associatedData: [UInt8]) -> [UInt8] {
        Array("signet pkcs11 kms \(id) \(version)\n".utf8) + associatedData
    }

    /// A secret, on its way to another thread and back.
    private final class Held: Sendable {
        let secret: SecretBytes
        init(_ secret: consuming SecretBytes) { self.secret = secret }

        func copy() throws -> SecretBytes { try Self.copy(secret) }

        private static func copy(_ source: borrowing SecretBytes) throws -> SecretBytes {
            try SecretBytes(copying: source.bytes)
        }
    }

    // MARK: Sessions

    private func asking<Value: Sendable>(
        _ body: @escaping @Sendable (Token, UInt) throws -> Value
    ) async throws -> Value {
        try await BlockingThread.run { try self.ask(body) }
    }

    private func ask<Value: Sendable>(_ body: @Sendable (Token, UInt) throws -> Value) throws -> Value {
        try state.withLock { state in
            do {
                do {
                    return try body(self, try session(&state))
                } catch let fault as TokenModule.Fault {
                    guard fault.isLoss else { throw fault }
                    // Lost, by us or by the token: a fresh one tells whether it is there again.
                    if let session = state.session.take() { module.closeSession(session) }
                    return try body(self, try session(&state))
                }
            } catch let fault as TokenModule.Fault {
                throw Self.error(fault)
            }
        }
    }

    private func session(_ state: inout State) throws -> UInt {
        if let session = state.session { return session }
        try module.initialize()
        let slots = try module.slots(labelled: settings.label)
        guard let slot = slots.first else {
            throw KMSError(.kmsUnavailable, "no slot has a token with the label \(settings.label)")
        }
        guard slots.count == 1 else {
            throw KMSError(.kmsKeyUnusable, "\(slots.count) tokens have the label \(settings.label)")
        }
        let path = try settings.pin.path(credentials, "systemd")
        let pin = try SecretBytes(contentsOf: path, limit: 256, lastNewline: .dropped)
        if Self.isSame(state.refused, pin) {
            throw KMSError(
                .kmsDenied, "the token \(settings.label) refused the PIN in \(path); it is not shown again")
        }
        let session = try module.openSession(slot)
        do {
            try module.logIn(session, pin: pin)
        } catch {
            module.closeSession(session)
            if error.isRefusedPIN { state.refused = consume pin }
            throw error
        }
        state.refused = nil
        state.session = session
        return session
    }

    private static func isSame(_ refused: borrowing SecretBytes?, _ pin: borrowing SecretBytes) -> Bool {
        switch refused {
        case .some(let refused): refused.isEqualInConstantTime(to: pin)
        case .none: false
        }
    }

    /// Of several with the label, one has to be wanted by its id.
    private func key(_ session: UInt, _ wanted: [UInt8]?) throws -> TokenModule.Key {
        let keys = try module.keys(session, label: settings.key, id: wanted)
        guard let key = keys.first else {
            let id = wanted.map { " and the id \(Self.version($0))" } ?? ""
            throw KMSError(
                .kmsKeyUnusable,
                "the token \(settings.label) has no AES key with the label \(settings.key)\(id)")
        }
        guard keys.count == 1 else {
            throw KMSError(
                .kmsKeyUnusable,
                "several keys of the token \(settings.label) have the label \(settings.key); say key_id"
            )
        }
        guard key.length == UInt(AESGCM.keyCount) else {
            throw KMSError(
                .kmsKeyUnusable,
                "the key \(settings.key) of the token \(settings.label) has \(key.length) bytes, not \(AESGCM.keyCount)"
            )
        }
        return key
    }

    private static func error(_ fault: TokenModule.Fault) -> KMSError {
        if fault.isRefusedPIN { return KMSError(.kmsDenied, "the token refuses the PIN: \(fault.text)") }
        if fault.isLoss { return KMSError(.kmsUnavailable, "the token is away: \(fault.text)") }
        // Whatever else a token says of a ciphertext, it did not open it.
        if fault.call == "C_Decrypt" {
            return KMSError(
                .kmsRefused, "the wrapped key was changed, or belongs to something else: \(fault.text)")
        }
        return KMSError(.kmsKeyUnusable, "the token cannot do it: \(fault.text)")
    }
}
