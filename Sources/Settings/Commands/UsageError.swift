// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// A command line that was not understood; exit code 2. It names options and commands, never the texts of values.
public struct UsageError: CodedError, Hashable, CustomStringConvertible {
    /// The command up to which it was understood, like "signet key".
    public let command: String
    public let problem: String

    init(_ command: String, _ problem: String) {
        self.command = command
        self.problem = problem
    }

    public var code: ErrorCode { .badArguments }
    public var message: String { "\(command): \(problem); see `\(command) --help`" }
    public var description: String { message }
}
