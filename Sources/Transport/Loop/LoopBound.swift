// SPDX-License-Identifier: Apache-2.0

/// A value that belongs to one loop, made safe to carry elsewhere: it can be passed on from any thread, and looked at on
/// its loop alone.
///
/// This is the one gate through which the loop's own objects (`Connection` and what protocols build on it: plain
/// classes without locks, not `Sendable`) reach a task or a closure. The compiler refuses every other way, and a look
/// from a wrong thread stops the program. A value with a `deinit` that must run on the loop is kept by the loop's side
/// as well; the last reference may go away anywhere.
public struct LoopBound<Value>: @unchecked Sendable {
    @usableFromInline let stored: Value
    public let loop: EventLoop

    @inlinable public init(_ value: Value, on loop: EventLoop) {
        stored = value
        self.loop = loop
    }

    @inlinable public var value: Value {
        loop.checkIsolated()
        return stored
    }
}
