// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Verification

/// Prints how a run over files goes and what came of it: failures as they happen, each file if asked to, progress, and
/// the counts at the end. With JSON nothing but JSON is on standard output and no progress anywhere, unless asked for.
final class RunReporter: SigningListener {
    struct Style: Sendable {
        /// As in "signed" or "good".
        var doneWord = "signed"
        var command = "sign"
        var form = OutputForm.text
        var progress = ProgressMode.auto
        /// Each file has its line.
        var isVerbose = false
    }

    private struct State {
        var meter: ProgressMeter
        var summary = RunSummary()
        var files: [Documents.File] = []
        /// A bar stands on the terminal's last line.
        var isDrawn = false
        var lastLine: Duration
    }

    /// Between two lines of progress where there is no terminal.
    static let pause: Duration = .seconds(5)

    private let style: Style
    private let screen: Screen
    private let now: @Sendable () -> Duration
    private let start: Duration
    private let state: Lock<State>

    init(_ style: Style, on screen: Screen, now: @escaping @Sendable () -> Duration) {
        self.style = style
        self.screen = screen
        self.now = now
        start = now()
        state = Lock(State(meter: ProgressMeter(at: start), lastLine: start))
    }

    var summary: RunSummary { state.withLock { $0.summary } }

    func found(files: Int) { state.withLock { $0.meter.found(files) } }

    func waiting(_ failure: FileFailure) {
        guard showsProgress else { return }
        state.withLock { state in
            erase(&state)
            screen.notes("waiting: \(ShownText.line(failure.message)) [\(failure.code.id)]\n")
        }
    }

    func finished(_ report: FileReport) {
        state.withLock { state in
            state.summary.add(report)
            var isFailed = false
            if case .failed = report.outcome { isFailed = true }
            state.meter.finished(failed: isFailed, at: now())
            switch style.form {
            case .json: state.files.append(Documents.File(report, doneWord: style.doneWord))
            case .jsonl:
                screen.out(
                    Documents.text(
                        Documents.File(report, doneWord: style.doneWord, schema: Documents.schema)))
            case .text: tell(report, &state)
            }
        }
    }

    private func tell(_ report: FileReport, _ state: inout State) {
        let name = ShownText.line(report.path)
        switch report.outcome {
        case .signed(let server):
            guard style.isVerbose else { return }
            erase(&state)
            let place = report.output.map { " in " + ShownText.line($0) } ?? ""
            screen.out(
                name + ": " + style.doneWord + place + (server.map { " by " + $0 } ?? "") + "\n"
                    + signatures(of: report))
        case .skipped(let reason):
            guard style.isVerbose else { return }
            erase(&state)
            screen.out("\(name): skipped, \(ShownText.line(reason))\n")
        case .failed(let failure):
            erase(&state)
            screen.notes(
                "\(name): \(ShownText.line(failure.message)) [\(failure.code.id)]\n"
                    + "  \(ShownText.line(failure.remedy ?? failure.code.remedy))\n" + signatures(of: report))
        }
    }

    private func signatures(of report: FileReport) -> String {
        (report.verdict?.signatures ?? []).map { "  " + $0.line + "\n" }.joined()
    }

    // MARK: Progress

    /// Draws the bar or, when it is time, writes a line; called a few times a second.
    func tick() {
        guard showsProgress else { return }
        state.withLock { state in
            guard state.meter.total > 0 else { return }
            if let columns = screen.columns() {
                screen.notes("\r\u{1b}[2K" + state.meter.bar(columns: columns, at: now()))
                state.isDrawn = true
            } else if now() - state.lastLine >= Self.pause, state.meter.done < state.meter.total {
                state.lastLine = now()
                screen.notes(state.meter.line(at: now()) + "\n")
            }
        }
    }

    private var showsProgress: Bool {
        switch style.progress {
        case .always: true
        case .never: false
        case .auto: style.form == .text
        }
    }

    private func erase(_ state: inout State) {
        guard state.isDrawn else { return }
        screen.notes("\r\u{1b}[2K")
        state.isDrawn = false
    }

    // MARK: The end

    /// Prints the counts, and returns the status.
    func end() -> Int32 {
        state.withLock { state in
            erase(&state)
            let summary = state.summary
            let time = now() - start
            switch style.form {
            case .jsonl: screen.out(Documents.text(document(summary, time, isLine: true)))
            case .json:
                screen.out(
                    Documents.text(
                        Documents.Run(
                            command: style.command, files: state.files,
                            summary: document(summary, time, isLine: false))))
            case .text: screen.out(text(of: summary, time))
            }
            return summary.status
        }
    }

    private func document(_ summary: RunSummary, _ time: Duration, isLine: Bool) -> Documents.Summary {
        Documents.Summary(
            summary, seconds: time, isLine: isLine, isVerification: style.command == "verify")
    }

    private func text(of summary: RunSummary, _ time: Duration) -> String {
        var parts = ["\(summary.done) \(style.doneWord)"]
        if summary.skipped > 0 { parts.append("\(summary.skipped) skipped") }
        parts.append("\(summary.failed) failed")
        if summary.retried > 0 { parts.append("\(summary.retried) retried") }
        let tenths = Int(time / .milliseconds(100))
        var text = parts.joined(separator: ", ") + ", in \(tenths / 10).\(tenths % 10) s\n"
        for (server, count) in summary.signers.sorted(by: { $0.key < $1.key }) {
            text += "  \(count) by \(ShownText.line(server))\n"
        }
        return text
    }
}
