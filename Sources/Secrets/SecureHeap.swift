// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// OpenSSL's secure heap, which `Hardening` makes, for more than OpenSSL puts there by itself.
///
/// OpenSSL 3.0 gives the secure heap to the keys that it generates or decodes. A key that is put together from its numbers
/// stands on the ordinary heap, and so do the Montgomery contexts that hold the primes of an RSA key while it lives. What
/// it allocates within `holding` is in the secure heap as well.
package enum SecureHeap {
    /// Set before the hooks are, once.
    private nonisolated(unsafe) static var mark: pthread_key_t = 0
    private nonisolated(unsafe) static var isHooked = false

    /// While it runs, all that OpenSSL allocates on this thread comes from the secure heap, if there is one.
    package static func holding<Value>(_ body: () throws -> Value) rethrows -> Value {
        guard unsafe isHooked, unsafe pthread_getspecific(mark) == nil else { return try body() }
        unsafe pthread_setspecific(mark, UnsafeRawPointer(bitPattern: 1))
        defer { unsafe _ = pthread_setspecific(mark, nil) }
        return try body()
    }

    /// Only before OpenSSL has allocated anything; false when it is too late.
    static func hook() -> Bool {
        if unsafe isHooked { return true }
        guard unsafe pthread_key_create(&mark, nil) == 0 else { return false }
        let isSet = unsafe CRYPTO_set_mem_functions(
            { size, _, _ in unsafe SecureHeap.allocate(size) },
            { old, size, _, _ in unsafe SecureHeap.resize(old, size) },
            { old, _, _ in unsafe SecureHeap.release(old) })
        unsafe isHooked = isSet == 1
        return isSet == 1
    }

    // MARK: What OpenSSL calls

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard unsafe pthread_getspecific(mark) != nil, CRYPTO_secure_malloc_initialized() == 1 else {
            return unsafe malloc(size)
        }
        // A key that does not find room there is still better signed with than refused.
        return unsafe CRYPTO_secure_malloc(size, nil, 0) ?? malloc(size)
    }

    private static func resize(_ old: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let old = unsafe old else { return unsafe allocate(size) }
        guard unsafe CRYPTO_secure_allocated(old) == 1 else { return unsafe realloc(old, size) }
        guard let new = unsafe CRYPTO_secure_malloc(size, nil, 0) else { return nil }
        unsafe memcpy(new, old, min(size, CRYPTO_secure_actual_size(old)))
        unsafe CRYPTO_secure_free(old, nil, 0)
        return unsafe new
    }

    /// What comes out of the secure heap is wiped.
    private static func release(_ old: UnsafeMutableRawPointer?) {
        guard let old = unsafe old else { return }
        if unsafe CRYPTO_secure_allocated(old) == 1 {
            unsafe CRYPTO_secure_free(old, nil, 0)
        } else {
            unsafe free(old)
        }
    }
}
