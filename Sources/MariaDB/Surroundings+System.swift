// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension Surroundings {
    /// The real clock and the system's random numbers.
    public static let system = Surroundings(
        now: { ContinuousClock.now }, pause: { sleepThread($0) },
        random: {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        })
}

private func sleepThread(_ duration: Duration) {
    let parts = max(duration, .zero).components
    var left = timespec(tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
    var rest = timespec()
    while unsafe nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
}
