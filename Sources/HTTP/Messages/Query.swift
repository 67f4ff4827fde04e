// SPDX-License-Identifier: Apache-2.0

/// The parameters behind the `?` of a request, decoded, in order.
public struct Query: Sendable, Equatable {
    public private(set) var parameters: [(name: String, value: String)] = []

    public init() {}

    init(_ bytes: ArraySlice<UInt8>) throws(HTTPError) {
        guard !bytes.isEmpty else { return }
        for pair in bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
            guard parameters.count < RequestTarget.mostParameters else {
                throw .malformed("more than \(RequestTarget.mostParameters) parameters in the query")
            }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = try Escapes.decode(
                pair[pair.startIndex..<equals], allowed: \.isQueryByte, plusIsSpace: true)
            let value = try Escapes.decode(
                pair[equals...].dropFirst(), allowed: \.isQueryByte, plusIsSpace: true)
            parameters.append((name, value))
        }
    }

    public static func == (one: Query, other: Query) -> Bool {
        one.parameters.elementsEqual(other.parameters) { $0.name == $1.name && $0.value == $1.value }
    }

    /// The values of all parameters called so.
    public func values(_ name: String) -> [String] {
        parameters.filter { $0.name == name }.map(\.value)
    }

    /// The value of a parameter that may be missing but not be there twice.
    public func value<Value: LosslessStringConvertible>(
        _ name: String, as type: Value.Type = String.self
    ) throws(HTTPError) -> Value? {
        let values = values(name)
        guard values.count < 2 else { throw .malformed("the query has \(name) more than once") }
        guard let text = values.first else { return nil }
        return try Canonical.read(text, as: type, "the parameter \(name)")
    }

    /// The value of a parameter that must be there once.
    public func required<Value: LosslessStringConvertible>(
        _ name: String, as type: Value.Type = String.self
    ) throws(HTTPError) -> Value {
        guard let value = try value(name, as: type) else {
            throw .malformed("the query lacks \(name)")
        }
        return value
    }

    /// Refuses parameters that a route does not know, so that a misspelled one is not silently without effect.
    public func allow(_ names: Set<String>) throws(HTTPError) {
        for parameter in parameters where !names.contains(parameter.name) {
            throw .malformed("the query has a parameter that is not known here")
        }
    }
}

enum Canonical {
    /// A value in the one spelling that it has: no sign or zero that is not needed.
    static func read<Value: LosslessStringConvertible>(
        _ text: String, as type: Value.Type, _ what: String
    ) throws(HTTPError) -> Value {
        guard let value = Value(text), value.description == text else {
            throw .malformed("\(what) is no \(type)")
        }
        return value
    }
}
