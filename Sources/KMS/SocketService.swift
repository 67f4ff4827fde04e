// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc
public import Keyring
public import Secrets

/// The provider `socket`: a service on this machine that a farm writes itself, asked over a unix socket
/// (docs/reference/kms.md; `SocketMessage` has the grammar). A connection carries one request and its answer.
///
/// The socket's folder says who may ask; whoever serves it sees every cluster key.
public final class SocketService: KeyWrapping {
    public let provider = "socket"
    private let path: String
    private let deadline: Duration

    public init(_ path: String, deadline: Duration) throws(KMSError) {
        guard (1...Self.longestPath).contains(path.utf8.count) else {
            throw KMSError(
                .kmsKeyUnusable, "memory.kms-provider.socket: a path has at most \(Self.longestPath) bytes")
        }
        self.path = path
        self.deadline = deadline
    }

    private static let longestPath = 107

    public func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let request = Line(try SocketMessage.wrap(secret, associatedData))
        return try await ask(request) { answer, message in
            guard let key = message.text("wrapping_key", of: answer.bytes), !key.isEmpty,
                let version = message.text("version", of: answer.bytes), !version.isEmpty,
                let ciphertext = message.bytes("ciphertext", of: answer.bytes),
                (1...WrappedSecret.largest).contains(ciphertext.count)
            else { throw Self.malformed }
            return WrappedSecret(key: key, version: version, ciphertext: ciphertext)
        }
    }

    public func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        let request = Line(try SocketMessage.unwrap(wrapped, associatedData))
        let opened = try await ask(request) { answer, message in
            guard let secret = try message.secret("key", of: answer.bytes) else { throw Self.malformed }
            return Line(secret)
        }
        return try opened.copy()
    }

    public func checkHealth() async throws {
        try await ask(Line(try SocketMessage.health())) { answer, message in
            guard message.text("status", of: answer.bytes) == "ok" else { throw Self.malformed }
        }
    }

    /// A message, on its way to another thread and back.
    private final class Line: Sendable {
        let text: SecretBytes
        init(_ text: consuming SecretBytes) { self.text = text }

        func copy() throws -> SecretBytes { try Self.copy(text) }

        private static func copy(_ source: borrowing SecretBytes) throws -> SecretBytes {
            try SecretBytes(copying: source.bytes)
        }
    }

    private static let malformed = KMSError(
        .kmsAnswerMalformed, "the service's answer is not what docs/reference/kms.md says")

    private func ask<Value: Sendable>(
        _ request: Line, _ read: @escaping @Sendable (borrowing SecretBytes, SocketMessage) throws -> Value
    ) async throws -> Value {
        let (path, deadline) = (path, deadline)
        return try await BlockingThread.run {
            let connection = try SocketConnection(path, within: deadline)
            try connection.send(request.text)
            let answer = try connection.receive(limit: SocketMessage.largest)
            guard let message = SocketMessage(answer.bytes) else { throw Self.malformed }
            if let error = message.text("error", of: answer.bytes) {
                let text = message.text("message", of: answer.bytes) ?? ""
                throw KMSError(Self.code(error), "the key service says: \(text.isEmpty ? error : text)")
            }
            return try read(answer, message)
        }
    }

    private static func code(_ error: String) -> ErrorCode {
        switch error {
        case "refused": .kmsRefused
        case "unknown-key": .kmsKeyUnusable
        default: .kmsUnavailable
        }
    }
}
