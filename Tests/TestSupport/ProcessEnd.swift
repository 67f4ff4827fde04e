// SPDX-License-Identifier: Apache-2.0

/// Holds another process at its very end, when all it ever does is done and its memory can still be looked at. It goes
/// with the last reference.
public final class ProcessEnd: Sendable {
    private let tracer: Companion

    /// From now on; needs `Power.tracing`.
    public init(of process: Int32) throws {
        tracer = try Companion(python: "exit_stop.py", ["\(process)"])
        guard tracer.readLine() == "ready" else {
            throw Command.Failed(description: "the process \(process) cannot be traced: \(tracer.errorText)")
        }
    }

    /// Waits until the process is there.
    public func wait() throws {
        guard tracer.readLine() == "stopped" else {
            throw Command.Failed(description: "the process was not held at its end: \(tracer.errorText)")
        }
    }

    deinit {
        // Its tracer lets it go when it ends.
        tracer.end()
    }
}
