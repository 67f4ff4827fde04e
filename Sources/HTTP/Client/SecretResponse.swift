// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import HTTP2
public import Secrets

/// What a service answered, whatever its status, with a body that is nowhere but in `body`.
public struct SecretResponse: ~Copyable, Sendable {
    public let status: Status
    public let fields: HeaderFields
    public let body: SecretBytes
}

/// A secret body on its way in. Each piece takes all of it to new pages, and the old ones are wiped: the bodies of key
/// services come in one piece, or few.
final class SecretBody: Sendable {
    private let bytes: Lock<SecretBytes>

    init() throws { bytes = Lock(try Self.empty()) }

    var count: Int { bytes.withLock { $0.count } }

    func clear() throws {
        if count > 0 { _ = try take() }
    }

    func append(_ piece: Span<UInt8>) throws {
        try bytes.withLock { held in
            let joined = try Self.joined(held, piece)
            held = joined
        }
    }

    /// The body, and nothing from then on.
    func take() throws -> SecretBytes {
        try bytes.withLock { held in
            var taken = try Self.empty()
            swap(&held, &taken)
            return taken
        }
    }

    private static func empty() throws -> SecretBytes { try SecretBytes(capacity: 0) { _ in } }

    private static func joined(_ first: borrowing SecretBytes, _ second: Span<UInt8>) throws -> SecretBytes {
        try SecretBytes(capacity: first.count + second.count) { output in
            for index in 0..<first.count { output.append(first.bytes[index]) }
            for index in second.indices { output.append(second[index]) }
        }
    }
}
