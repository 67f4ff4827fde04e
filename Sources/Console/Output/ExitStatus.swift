// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// With which status a command ends.
///
/// ```text
/// 0    all done
/// 1    some done and some failed, or several causes
/// 2    usage or configuration
/// 3    not allowed          ; 2, 3, 4 and 5 when nothing was done for that one cause
/// 4    not found
/// 5    servers unavailable
/// 6    bad or missing signature
/// 130  interrupted (SIGINT)
/// 143  ended (SIGTERM)
/// ```
public enum ExitStatus {
    public static let success: Int32 = 0
    public static let mixed: Int32 = 1
    public static let usage: Int32 = 2
    public static let badSignature: Int32 = 6

    public static func of(_ error: any Error) -> Int32 {
        if error is CancellationError { return ErrorCode.cancelled.category.exit }
        return (error as? any CodedError)?.code.category.exit ?? mixed
    }

    /// Of a run over files. A bad signature counts above all else: whoever asked must not go on.
    public static func of(done: Int, failures: [ErrorCode]) -> Int32 {
        guard let first = failures.first else { return success }
        if failures.contains(where: { $0.category == .badSignature }) { return badSignature }
        let status = first.category.exit
        return done == 0 && failures.allSatisfy { $0.category.exit == status } ? status : mixed
    }
}
