// SPDX-License-Identifier: Apache-2.0

// Sets up and looks after the control plane: settings, open, do.

internal import ControlService
internal import Diagnostics
internal import Glibc
internal import Keyring
internal import Settings

func main() async throws {
    let environment = ProgramEnd.environment
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch try AdminCommands.tree.parse(arguments, environment: environment) {
    case .print(let text): ProgramEnd.print(text)
    case .run(let invocation):
        let log = Log(to: try LogSink(program: "control-admin", level: .warning))
        defer { flush(log) }
        try await AdminProgram(
            environment: environment, clock: Moment.now, log: log, say: { ProgramEnd.print($0) }
        ).run(invocation)
    }
}

func flush(_ log: Log) { _ = log.sink.flush(within: .seconds(2)) }

do {
    try await main()
} catch {
    exit(ProgramEnd.tell(error, of: "control-admin"))
}
