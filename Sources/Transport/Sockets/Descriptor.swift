// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// An open descriptor with one owner.
struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    /// Takes what a system call returned.
    init(_ number: Int32, from call: String) throws(TransportError) {
        guard number >= 0 else { throw .system(call, errno) }
        self.number = number
    }

    /// Takes over a descriptor that is known to be open.
    init(owning number: Int32) { self.number = number }

    deinit { close(number) }
}
