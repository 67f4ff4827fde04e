// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// The prepared contexts of one key. Each call borrows one, so that threads never wait for each other's work and none
/// pays for preparing one (11 % of a P-256 signature).
@safe struct PreparedContexts: ~Copyable, Sendable {
    private let role: PreparedContext.Role
    private let algorithm: SignatureAlgorithm
    /// Whoever owns these contexts keeps the key alive.
    nonisolated(unsafe) private let key: OpaquePointer
    private let idle: Lock<[PreparedContext]>

    /// More exist only while more threads use the key at one moment.
    private static let kept = 64

    init(_ role: PreparedContext.Role, _ algorithm: SignatureAlgorithm, key: OpaquePointer) throws {
        self.role = role
        self.algorithm = algorithm
        unsafe self.key = key
        // What does not fit is told when the handle is made, not at its first use.
        idle = Lock([unsafe try PreparedContext(role, algorithm, key: key)])
    }

    /// Runs `body` with a context that no other thread uses; `nil` tells that the library failed.
    ///
    /// A context that failed is not used again, and what failed on a used one is tried once on a new one: OpenSSL 3.0
    /// signs any number of messages with one Ed25519 context, but does not promise it, and later versions refuse.
    func use<Result>(_ body: (PreparedContext) -> Result?) throws -> Result? {
        if let context = idle.withLock({ contexts in contexts.popLast() }) {
            if let result = body(context) {
                putBack(context)
                return result
            }
            dropErrors()
        }
        let context = unsafe try PreparedContext(role, algorithm, key: key)
        guard let result = body(context) else { return nil }
        putBack(context)
        return result
    }

    private func putBack(_ context: PreparedContext) {
        idle.withLock { contexts in
            if contexts.count < Self.kept { contexts.append(context) }
        }
    }
}
