// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Testing

/// What a test needs from the machine beyond what any process has; containers and ordinary users lack some.
///
/// `@Test(.needs(.root))` skips the test where the power is missing and names it; `STRICT=1` turns that into a
/// failure. Each power is tried out, once in a run, since a capability says little about what a container lets through.
public struct Power: Sendable {
    /// The comment of a skipped test.
    public let reason: String
    private let probe: @Sendable () -> Bool

    public init(_ reason: String, isThere probe: @escaping @Sendable () -> Bool) {
        self.reason = reason
        self.probe = probe
    }

    public var isThere: Bool { probe() }

    public static let root = Power("needs root") { geteuid() == 0 }

    /// Root that can become somebody else, as `setpriv` does.
    public static let otherUsers = Power("needs to become another user (setuid)") { switchesUsers }

    /// To read another process of the same user, as debuggers do.
    public static let tracing = Power("needs ptrace (CAP_SYS_PTRACE, or kernel.yama.ptrace_scope=0)") {
        traces
    }

    public static let networkNamespaces = Power("needs network namespaces (CAP_SYS_ADMIN)") { makesNetworks }

    public static let mounts = Power("needs to mount (CAP_SYS_ADMIN)") { makesMounts }

    /// A process of its own: the sanitizers, linked into the tests and into what they build alike, bring terabytes of
    /// shadow memory that cannot be scanned, handlers of signals, and an `mlock` that does nothing.
    public static let noSanitizer = Power("needs memory, signals and mlock without a sanitizer") {
        ["__asan_init", "__tsan_init"].allSatisfy { name in
            let symbol = unsafe dlsym(nil, name)
            return unsafe symbol == nil
        }
    }

    /// A program in `PATH`.
    public static func program(_ name: String) -> Power {
        Power("needs \(name) (make deps)") { succeeds(["sh", "-c", "command -v \"$0\"", name]) }
    }

    private static let switchesUsers =
        geteuid() == 0
        && succeeds(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "true"])
    private static let makesNetworks = succeeds(["unshare", "--net", "true"])
    private static let makesMounts = succeeds(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
    // A sibling, not a child of the reader, whose memory the reader opens.
    private static let traces = succeeds([
        "sh", "-c", "sleep 20 & head -c 0 /proc/$!/mem; status=$?; kill $!; exit $status",
    ])

    private static func succeeds(_ arguments: [String]) -> Bool {
        (try? Command.run(arguments))?.status == 0
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test where `power` is missing, with the reason.
    public static func needs(_ power: Power) -> Self {
        .enabled(if: power.isThere, Comment(rawValue: power.reason))
    }
}
