// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Console is what a person or a script sees of `signet`: one table of commands, the client's settings, what is printed
/// and with which status the program ends.
///
/// `SignetProgram` runs a command line to its exit status. It reaches the control-server through a `ControlDesk` and
/// has files signed by whoever satisfies `FileSigning`, so that rendering, tables and statuses are tried without a
/// socket. It refuses tokens on the command line, files with tokens that others may read, and answers that are no
/// JSON; text of other programs is printed with what a terminal would obey written out.
///
/// ```swift
/// let program = SignetProgram(environment: environment, screen: .standard, signing: { settings, loops in ... })
/// exit(await program.run(CommandLine.arguments.dropFirst()))
/// ```
public struct ConsoleError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    /// What to do about it, when that is more than the code's own remedy.
    public let remedy: String?
    /// The id of a code that only the server knows.
    let foreignID: String?

    public init(_ code: ErrorCode, _ message: String, remedy: String? = nil) {
        self.init(code, message, remedy: remedy, foreignID: nil)
    }

    init(_ code: ErrorCode, _ message: String, remedy: String?, foreignID: String?) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.foreignID = foreignID
    }

    public var description: String { message }
}
