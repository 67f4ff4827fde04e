// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A mutex that holds what it guards, and the one lock of the house.
///
/// It stands on `pthread_mutex_t` because the thread sanitizer on Linux does not see into `Synchronization.Mutex` and
/// reports races where there are none. Whoever waits for a change of the value takes the lock with `withLock(when:)`;
/// whoever changes the value calls `wakeAll()` afterwards.
@safe public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private let value: UnsafeMutablePointer<Value>

    public init(_ initial: consuming sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe changed = .allocate(capacity: 1)
        unsafe changed.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // The wall clock jumps; waiting must not.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        unsafe value = .allocate(capacity: 1)
        unsafe value.initialize(to: initial)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe pthread_cond_destroy(changed)
        unsafe changed.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` alone with the value. It must not take the same lock again.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try unsafe body(&value.pointee)
    }

    /// Waits until `ready` holds, then runs `body` alone with the value; `nil` when `timeout` went by first.
    @available(*, noasync, message: "it blocks the thread")
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        when ready: (borrowing Value) -> Bool, within timeout: Duration? = nil,
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result? {
        var deadline = timespec()
        if let timeout { deadline = Self.deadline(after: timeout) }
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while unsafe !ready(value.pointee) {
            if timeout == nil {
                unsafe pthread_cond_wait(changed, mutex)
            } else if unsafe pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
                guard unsafe ready(value.pointee) else { return nil }
            }
        }
        return try unsafe body(&value.pointee)
    }

    /// Makes every waiter look at the value again.
    public borrowing func wakeAll() {
        unsafe pthread_cond_broadcast(changed)
    }

    private static func deadline(after timeout: Duration) -> timespec {
        // A thousand years from now is never, and does not overflow.
        let wait = min(max(timeout, .zero), .seconds(1 << 35)).components
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + Int(wait.attoseconds / 1_000_000_000)
        time.tv_sec += Int(wait.seconds) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        return time
    }
}
