// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// Where a command prints: results to one side, everything else to the other.
public struct Screen: Sendable {
    /// Standard output.
    public var out: @Sendable (String) -> Void
    /// Standard error.
    public var notes: @Sendable (String) -> Void
    /// The columns of the terminal behind the notes; nil when there is none that obeys.
    public var columns: @Sendable () -> Int?

    public init(
        out: @escaping @Sendable (String) -> Void, notes: @escaping @Sendable (String) -> Void,
        columns: @escaping @Sendable () -> Int? = { nil }
    ) {
        self.out = out
        self.notes = notes
        self.columns = columns
    }

    /// That of the process; `environment` says what sort of terminal it is.
    public static func standard(_ environment: [String: String]) -> Screen {
        let isDumb = ["dumb", ""].contains(environment["TERM"] ?? "")
        return Screen(
            out: { write($0, to: STDOUT_FILENO) }, notes: { write($0, to: STDERR_FILENO) },
            columns: { isDumb ? nil : width(of: STDERR_FILENO) })
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes[start...].withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            // A reader that went away is no reason to leave files half done.
            guard count > 0 else { return }
            start += count
        }
    }

    private static func width(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}

/// How results are printed.
public enum OutputForm: String, CaseIterable, Sendable {
    case text
    /// One document.
    case json
    /// One object a line, as things happen.
    case jsonl
}

/// Whether the progress of a run is shown.
public enum ProgressMode: String, CaseIterable, Sendable {
    /// A bar on a terminal, a line every few seconds elsewhere; nothing with JSON.
    case auto
    case always
    case never
}
