// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A child process whose end alone is waited for.
///
/// Foundation's `Process` waits until a descriptor that the child inherited is closed, and so hangs for as long as a
/// daemon lives that the child left behind (`gpg-agent`, `mariadbd`).
struct Spawned: ~Copyable {
    let process: pid_t

    init(
        _ arguments: [String], environment: [String: String], folder: String?, input: String, output: String,
        errors: String
    ) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_APPEND, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_APPEND, 0)
        // wrk counts a connection whose descriptor is above 33 as failed: it starts with these three alone.
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Signals that this thread blocks or this process ignores are no concern of the child.
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

        let path = environment["PATH"] ?? "/usr/bin:/bin"
        let moved = folder.map { ["/usr/bin/env", "-C", $0] } ?? ["/usr/bin/env"]
        let vector = unsafe (moved + arguments).map { unsafe strdup($0) } + [nil]
        let variables =
            unsafe environment.merging(["PATH": path]) { own, _ in own }
            .map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            unsafe vector.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        var process: pid_t = 0
        let failure = unsafe posix_spawn(
            &process, "/usr/bin/env", &actions, &attributes, vector, variables)
        guard failure == 0 else {
            throw Command.Failed(
                description:
                    "\(arguments.joined(separator: " ")): \(unsafe String(cString: strerror(failure)))")
        }
        self.process = process
    }

    /// The exit status, or minus the number of the signal that ended it.
    consuming func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : -signal
    }
}
