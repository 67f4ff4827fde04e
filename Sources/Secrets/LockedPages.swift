// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import COpenSSL
internal import Glibc

/// Whole pages from the system that are locked, left out of core dumps and of forks, fenced by a page without access
/// on either side, and wiped before they go back.
///
/// `mlock` and `madvise` act on whole pages and do not nest, hence no other memory may share them.
@safe struct LockedPages: ~Copyable, Sendable {
    nonisolated(unsafe) let base: UnsafeMutablePointer<UInt8>
    let count: Int

    static let page = max(4096, sysconf(Int32(_SC_PAGESIZE)))
    static let largest = 1 << 24

    /// Maps at least `size` bytes, all zero.
    init(_ size: Int) throws(SecretsError) {
        guard size >= 0, size <= Self.largest else { throw .tooLarge(size, limit: Self.largest) }
        let count = Self.rounded(size)
        let whole = count + 2 * Self.page
        let fence = unsafe mmap(nil, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let fence = unsafe fence, unsafe fence != MAP_FAILED else { throw .noMemory(size) }
        let inner = unsafe fence + Self.page
        if let error = unsafe Self.guarded(inner, count, size) {
            unsafe munmap(fence, whole)
            throw error
        }
        unsafe base = inner.bindMemory(to: UInt8.self, capacity: count)
        self.count = count
    }

    deinit {
        unsafe OPENSSL_cleanse(base, count)
        unsafe munlock(base, count)
        unsafe munmap(base - Self.page, count + 2 * Self.page)
    }

    /// What `size` bytes cost of the limit.
    static func rounded(_ size: Int) -> Int { max(page, (size + page - 1) / page * page) }

    private static func guarded(_ inner: UnsafeMutableRawPointer, _ count: Int, _ size: Int) -> SecretsError?
    {
        guard unsafe mprotect(inner, count, PROT_READ | PROT_WRITE) == 0 else { return .noMemory(size) }
        guard unsafe madvise(inner, count, Int32(shim_MADV_DONTDUMP)) == 0,
            // A child sees zeros; where the kernel cannot do that, it sees no memory.
            unsafe madvise(inner, count, Int32(shim_MADV_WIPEONFORK)) == 0
                || madvise(inner, count, Int32(shim_MADV_DONTFORK)) == 0
        else { return .notShielded(size) }
        guard unsafe mlock(inner, count) == 0 || LockedMemoryLimit.mayBeExceeded else {
            return .notLocked(size)
        }
        return nil
    }
}
