// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The fields of a head or of trailers, in order, with names in lower case; pseudo-fields such as `:path` come first.
///
/// They stand in one buffer, so that a request costs one allocation and not two for each field; text is made when it is
/// asked for.
///
/// ```text
/// field = length of the name (4 bytes) length of the value (4 bytes) name value
/// ```
public struct HeaderFields: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private(set) var buffer: [UInt8] = []
    public private(set) var count = 0

    /// Where a field's name and value stand in the buffer; the value begins where the name ends.
    struct Place {
        var name: Int
        var value: Int
        var end: Int
    }

    private static let lengths = 8

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    public var isEmpty: Bool { count == 0 }

    /// The size that RFC 9113 section 6.5.2 counts: names and values, and 32 for each field.
    public var listSize: Int { buffer.count + (32 - Self.lengths) * count }

    /// Appends a field; `name` is in lower case.
    public mutating func append(_ name: String, _ value: String) {
        begin(name.utf8.count, value.utf8.count)
        buffer.append(contentsOf: name.utf8)
        buffer.append(contentsOf: value.utf8)
    }

    /// Appends a field from the wire, whose bytes are any.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        begin(name.count, value.count)
        unsafe name.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
        unsafe value.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
    }

    public mutating func append(contentsOf other: HeaderFields) {
        buffer.append(contentsOf: other.buffer)
        count += other.count
    }

    private mutating func begin(_ name: Int, _ value: Int) {
        // What most heads need.
        if count == 0 { buffer.reserveCapacity(256) }
        let lengths = UInt64(UInt32(clamping: name)) << 32 | UInt64(UInt32(clamping: value))
        unsafe withUnsafeBytes(of: lengths) { unsafe buffer.append(contentsOf: $0) }
        count += 1
    }

    public func name(at index: Int) -> String {
        let place = place(of: index)
        return text(place.name..<place.value)
    }

    public func value(at index: Int) -> String { value(at: place(of: index)) }

    /// The value of the first field called so.
    public subscript(_ name: String) -> String? {
        place(of: name).map(value(at:))
    }

    public func contains(_ name: String) -> Bool { place(of: name) != nil }

    /// The values of all fields called so, in order.
    public func values(of name: String) -> [String] {
        var values: [String] = []
        forEachPlace { place in
            if text(place.name..<place.value) == name { values.append(value(at: place)) }
        }
        return values
    }

    /// Whether the first field called `name` has exactly this value; it makes no text.
    public func has(_ name: String, _ value: StaticString) -> Bool {
        guard let place = place(of: name) else { return false }
        return buffer.span.extracting(place.value..<place.end).holds(value)
    }

    /// Lends each field's name and value in turn.
    public func forEach(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        let bytes = buffer.span
        forEachPlace { place in
            body(bytes.extracting(place.name..<place.value), bytes.extracting(place.value..<place.end))
        }
    }

    // MARK: Places

    func forEachPlace(_ body: (Place) -> Void) {
        let bytes = buffer.span
        var offset = 0
        while offset < bytes.count {
            let place = place(at: offset, in: bytes)
            body(place)
            offset = place.end
        }
    }

    private func value(at place: Place) -> String { text(place.value..<place.end) }

    private func text(_ range: Range<Int>) -> String { String(decoding: buffer[range], as: UTF8.self) }

    private func place(of name: String) -> Place? {
        let bytes = buffer.span
        var name = name
        return name.withUTF8 { wanted in
            var offset = 0
            while offset < bytes.count {
                let place = place(at: offset, in: bytes)
                if place.value - place.name == wanted.count,
                    unsafe bytes.extracting(place.name..<place.value).isEqual(to: wanted)
                {
                    return place
                }
                offset = place.end
            }
            return nil
        }
    }

    private func place(of index: Int) -> Place {
        let bytes = buffer.span
        var place = place(at: 0, in: bytes)
        for _ in 0..<index { place = self.place(at: place.end, in: bytes) }
        return place
    }

    private func place(at offset: Int, in bytes: Span<UInt8>) -> Place {
        let name = offset + Self.lengths
        let lengths = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let value = name + Int(lengths >> 32)
        return Place(name: name, value: value, end: value + Int(lengths & 0xffff_ffff))
    }
}

extension Span<UInt8> {
    /// Whether these are the bytes of a text of the program's own.
    package func holds(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { unsafe count == $0.count && isEqual(to: $0) }
    }

    /// With as many bytes in `other`.
    fileprivate func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
        unsafe withUnsafeBufferPointer { own in
            guard let start = own.baseAddress, let otherStart = other.baseAddress else {
                return true
            }
            return unsafe memcmp(start, otherStart, own.count) == 0
        }
    }
}
