// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The loop's one buffer for input, lent to each read.
@safe final class ReadBuffer {
    let storage: UnsafeMutableBufferPointer<UInt8>

    init(capacity: Int) { unsafe storage = .allocate(capacity: capacity) }
    deinit { unsafe storage.deallocate() }

    var capacity: Int { unsafe storage.count }

    /// The bytes that the last read put there.
    func withBytes(_ count: Int, _ body: (Span<UInt8>) -> Void) {
        let bytes = unsafe UnsafeBufferPointer(rebasing: storage[..<count])
        unsafe body(bytes.span)
    }

    /// Takes those bytes away.
    func wipe(_ count: Int) { unsafe OPENSSL_cleanse(storage.baseAddress, min(count, capacity)) }
}

/// Bytes on their way out: appended at the end, sent from the front. Empty, it holds no memory.
///
/// A class, so that a connection only reads its reference: as a struct each use would be an access that the runtime
/// has to guard.
@safe final class OutputBuffer {
    private var storage = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var start = 0
    private var end = 0
    /// Whether what was here is wiped before its memory is given back.
    var isSecret = false

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    deinit { free() }

    func append(_ bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return }
        makeRoom(bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            _ = unsafe storage[end...].update(fromContentsOf: source)
        }
        end += bytes.count
    }

    /// Lends the first bytes, at most `limit` of them.
    func withFirst<Result>(_ limit: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        unsafe body(UnsafeBufferPointer(rebasing: storage[start..<min(end, start + limit)]))
    }

    func remove(first count: Int) {
        start += count
        if start == end { clear() }
    }

    func clear() {
        free()
        unsafe storage = UnsafeMutableBufferPointer(start: nil, count: 0)
        (start, end) = (0, 0)
    }

    private func free() {
        if isSecret { unsafe OPENSSL_cleanse(storage.baseAddress, storage.count) }
        unsafe storage.deallocate()
    }

    private func makeRoom(_ more: Int) {
        guard unsafe end + more > storage.count else { return }
        let used = count
        if unsafe used + more <= storage.count, start >= used {
            // The halves do not overlap.
            _ = unsafe storage.update(fromContentsOf: storage[start..<end])
        } else {
            var capacity = unsafe max(16 << 10, storage.count)
            while capacity < used + more { capacity *= 2 }
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: capacity)
            _ = unsafe larger.update(fromContentsOf: storage[start..<end])
            free()
            unsafe storage = larger
        }
        (start, end) = (0, used)
    }
}
