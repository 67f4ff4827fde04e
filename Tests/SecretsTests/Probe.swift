// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// The program that is looked at from outside.
enum Probe {
    /// Begins with a set bit and holds no digits of its own, so that it is found in whatever notation.
    static let canary: [UInt8] = [0xce] + Array("ANARY-of-Secrets-0123456789abcde".utf8)

    /// As the probe takes it: in its memory the canary must not stand in the arguments.
    static let masked = canary.map { hex($0 ^ 0xa5) }.joined()

    static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) throws -> Command.Output {
        let all = Command.environment.merging(environment) { $1 }
        // As much of a core file as the system allows.
        let shell = "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\""
        return try Command.run(
            ["sh", "-c", shell, Products.path("secrets-probe")] + arguments, environment: all, folder: folder)
    }
}
