// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Transport

/// A thread of its own for a blocking call, which must not hold up the threads that async code runs on.
enum BlockingThread {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try Thread.detach(named: "kms") { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(
                    throwing: KMSError(.kmsUnavailable, "the system has no thread left to ask the service on")
                )
            }
        }
    }
}
