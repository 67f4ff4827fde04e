// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Secret memory with one owner: pages of its own, locked, left out of core dumps and forks, wiped on release.
///
/// It is filled in place and read through `bytes`, a span that cannot outlive it. It has no text form, no `==` and no
/// way to copy: a secret that must exist twice is filled twice. Each takes at least one page of the limit of locked
/// memory and three of the kernel's mappings; many small secrets belong in a `SecretArena`.
public struct SecretBytes: ~Copyable, Sendable {
    private let pages: LockedPages
    public let count: Int

    /// Maps room for `capacity` bytes and lets `fill` append to it. When `fill` throws, what it wrote is wiped. It
    /// has to fill the span that it is given: putting another in its place stops the program.
    public init<E: Error>(
        capacity: Int, filledBy fill: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws {
        let pages = try LockedPages(capacity)
        let buffer = unsafe UnsafeMutableBufferPointer(start: pages.base, count: capacity)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        try fill(&output)
        count = unsafe output.finalize(for: buffer)
        self.pages = pages
    }

    /// A copy of bytes that are somewhere else; the owner there has to wipe them.
    public init(copying source: Span<UInt8>) throws {
        try self.init(capacity: source.count) { output in
            for index in source.indices { output.append(source[index]) }
        }
    }

    /// `count` bytes from the system's generator.
    public init(randomCount count: Int) throws {
        try self.init(capacity: count) { output throws(SecretsError) in
            while output.freeCapacity > 0 {
                // At most 256 bytes come in one piece, whatever signals arrive.
                let error = unsafe output.withUnsafeMutableBufferPointer { buffer, filled -> Int32 in
                    let got = unsafe getrandom(
                        buffer.baseAddress?.advanced(by: filled), min(256, buffer.count - filled), 0)
                    guard got >= 0 else { return errno }
                    filled += got
                    return 0
                }
                guard error == 0 || error == EINTR else { throw .noRandomness(error) }
            }
        }
    }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe Span(_unsafeStart: pages.base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Compares in a time that depends on the lengths alone.
    public borrowing func isEqualInConstantTime(to other: borrowing SecretBytes) -> Bool {
        ConstantTime.areEqual(bytes, other.bytes)
    }

    public borrowing func isEqualInConstantTime(to other: Span<UInt8>) -> Bool {
        ConstantTime.areEqual(bytes, other)
    }
}
