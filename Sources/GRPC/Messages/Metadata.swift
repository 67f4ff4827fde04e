// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import HTTP2

/// What a caller or a service says beside the messages. Names are in lower case; those that end with `-bin` bear bytes.
public struct Metadata: Sendable, Equatable {
    var fields: HeaderFields

    public init() { fields = HeaderFields() }
    package init(_ fields: HeaderFields) { self.fields = fields }

    public subscript(_ name: String) -> String? { fields[name] }

    public func values(of name: String) -> [String] { fields.values(of: name) }

    /// The bytes of a `-bin` field: base64, with or without padding; nil when it is missing or malformed.
    public func bytes(of name: String) -> [UInt8]? {
        guard let text = fields[name] else { return nil }
        return try? (text.hasSuffix("=") ? Base64.standard : .standardUnpadded).decode(text)
    }

    /// Adds a text of printable ASCII. False when name or text may not be sent.
    @discardableResult
    public mutating func append(_ name: String, _ text: String) -> Bool {
        guard Self.allows(name), !name.hasSuffix("-bin"), text.utf8.allSatisfy({ $0 >= 0x20 && $0 <= 0x7e })
        else {
            return false
        }
        fields.append(name, text)
        return true
    }

    @discardableResult
    public mutating func append(_ name: String, bytes: [UInt8]) -> Bool {
        guard Self.allows(name), name.hasSuffix("-bin") else { return false }
        fields.append(name, Base64.standardUnpadded.encode(bytes))
        return true
    }

    /// Appends what may be sent: metadata that came with a call bears the fields of the protocol as well, and may be
    /// handed on as it is.
    package func write(to head: inout HeaderFields) {
        for index in 0..<fields.count {
            let name = fields.name(at: index)
            guard Self.allows(name), !["content-type", "content-length", "te"].contains(name) else {
                continue
            }
            head.append(name, fields.value(at: index))
        }
    }

    private static func allows(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("grpc-")
            && name.utf8.allSatisfy {
                $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2d || $0 == 0x5f || $0 == 0x2e
            }
    }
}
