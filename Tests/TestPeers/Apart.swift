// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Does what blocks on a thread of its own: the tests that run at the same time share two.
public func apart<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Foundation.Thread.detachNewThread {
            continuation.resume(with: Swift.Result { () throws -> Result in try body() })
        }
    }
}
