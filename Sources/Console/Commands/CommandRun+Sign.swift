// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Settings

extension CommandRun {
    func sign() async throws -> Int32 {
        let settings = try settings().settings
        let order = try order()
        var style = RunReporter.Style()
        style.doneWord = order.isDry ? "to sign" : "signed"
        style.form = form
        style.progress = invocation.text("progress").flatMap { ProgressMode(rawValue: $0) } ?? .auto
        style.isVerbose = invocation.flag("verbose") || order.isDry
        let signer = try program.signing(settings)
        let reporter = RunReporter(style, on: screen, now: program.now)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await signer.sign(order, telling: reporter) }
                group.addTask {
                    while !Task.isCancelled {
                        reporter.tick()
                        try? await Task.sleep(for: .milliseconds(250))
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            // Whatever stopped the run, those that are done are told of.
            let status = ExitStatus.of(error)
            if reporter.summary.files > 0 {
                _ = reporter.end()
            }
            guard error is CancellationError else { throw error }
            return status
        }
        return reporter.end()
    }

    private func order() throws -> FileOrder {
        var kind = invocation.text("kind")
        // A signature beside the file is what some kinds have anyway.
        let meanings = [("detached", ["generic", "cms", "module"]), ("cleartext", ["cleartext"])]
        for (flag, kinds) in meanings where invocation.flag(flag) {
            guard kind.map({ kinds.contains($0) }) ?? true else {
                throw ConsoleError(
                    .badArguments, "--\(flag) and --kind \(kind ?? "") do not go together",
                    remedy: "Leave one of them out: a file is of one kind.")
            }
            kind = kind ?? kinds[0]
        }
        return FileOrder(
            paths: invocation.arguments("PATH"), key: invocation.text("key") ?? "", kind: kind,
            folder: invocation.text("out-dir"), isDetached: invocation.flag("detached") && kind == "module",
            resigns: invocation.flag("resign"),
            isDry: invocation.flag("dry-run"))
    }
}
