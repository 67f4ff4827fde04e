// SPDX-License-Identifier: Apache-2.0

// Copies of borrowed bytes, each one `memcpy`. The standard library has no such calls yet; its element-wise ones are
// many times slower in debug builds and checked byte by byte in release builds.

extension Array where Element == UInt8 {
    /// A copy of borrowed bytes.
    public init(copying span: Span<UInt8>) {
        // The buffer is only read inside of the closure.
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Appends a copy of borrowed bytes.
    public mutating func append(copying span: Span<UInt8>) {
        // The buffer is only read inside of the closure.
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends a copy of borrowed bytes, or throws when they do not fit.
    @_lifetime(self: copy self)
    public mutating func append(copying span: Span<UInt8>) throws(BytesError) {
        guard span.count <= freeCapacity else { throw BytesError(.overLimit, at: freeCapacity) }
        // Both buffers are used only inside of the closures, and the room was checked above.
        unsafe span.withUnsafeBufferPointer { source in
            unsafe withUnsafeMutableBufferPointer { target, count in
                _ = unsafe target[count...].initialize(fromContentsOf: source)
                count += source.count
            }
        }
    }
}

extension String {
    /// Borrowed bytes as text; `nil` when they are not UTF-8.
    public init?(validatingUTF8 span: Span<UInt8>) {
        guard let text = try? UTF8Span(validating: span) else { return nil }
        self.init(copying: text)
    }
}
