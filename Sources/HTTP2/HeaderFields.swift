// SPDX-License-Identifier: Apache-2.0

/// The fields of a head or of trailers, in order, with names in lower case; pseudo-fields such as `:path` come first.
///
/// They stand in one buffer, so that a request costs two allocations and not one for each field; text is made when it
/// is asked for.
public struct HeaderFields: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// Where a field ends; it starts where the one before it ends.
    struct Place: Sendable, Equatable {
        var nameEnd: Int
        var valueEnd: Int
    }

    private(set) var bytes: [UInt8] = []
    private(set) var places: [Place] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    public var count: Int { places.count }
    public var isEmpty: Bool { places.isEmpty }

    /// The size that RFC 9113 section 6.5.2 counts: names and values, and 32 for each field.
    public var listSize: Int { bytes.count + 32 * places.count }

    /// Appends a field; `name` is in lower case.
    public mutating func append(_ name: String, _ value: String) {
        bytes.append(contentsOf: name.utf8)
        let nameEnd = bytes.count
        bytes.append(contentsOf: value.utf8)
        places.append(Place(nameEnd: nameEnd, valueEnd: bytes.count))
    }

    /// Appends a field from the wire, whose bytes are any.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        if places.isEmpty {
            bytes.reserveCapacity(256)
            places.reserveCapacity(12)
        }
        unsafe name.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        let nameEnd = bytes.count
        unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        places.append(Place(nameEnd: nameEnd, valueEnd: bytes.count))
    }

    public mutating func append(contentsOf other: HeaderFields) {
        let shift = bytes.count
        bytes.append(contentsOf: other.bytes)
        for place in other.places {
            places.append(Place(nameEnd: place.nameEnd + shift, valueEnd: place.valueEnd + shift))
        }
    }

    public func name(at index: Int) -> String {
        String(decoding: bytes[start(of: index)..<places[index].nameEnd], as: UTF8.self)
    }

    public func value(at index: Int) -> String {
        String(decoding: bytes[places[index].nameEnd..<places[index].valueEnd], as: UTF8.self)
    }

    /// The value of the first field called so.
    public subscript(_ name: String) -> String? {
        index(of: name).map(value(at:))
    }

    public func contains(_ name: String) -> Bool { index(of: name) != nil }

    /// The values of all fields called so, in order.
    public func values(of name: String) -> [String] {
        places.indices.filter { has(name, at: $0) }.map(value(at:))
    }

    /// Whether the first field called `name` has exactly this value; it makes no text.
    public func has(_ name: String, _ value: StaticString) -> Bool {
        guard let index = index(of: name) else { return false }
        let place = places[index]
        guard place.valueEnd - place.nameEnd == value.utf8CodeUnitCount else { return false }
        return value.withUTF8Buffer { wanted in
            unsafe bytes[place.nameEnd..<place.valueEnd].elementsEqual(wanted)
        }
    }

    private func index(of name: String) -> Int? {
        places.indices.first { has(name, at: $0) }
    }

    private func has(_ name: String, at index: Int) -> Bool {
        let start = start(of: index)
        let end = places[index].nameEnd
        guard end - start == name.utf8.count else { return false }
        return bytes[start..<end].elementsEqual(name.utf8)
    }

    func start(of index: Int) -> Int { index == 0 ? 0 : places[index - 1].valueEnd }
}
