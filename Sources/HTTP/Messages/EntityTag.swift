// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import HTTP2

/// A strong entity tag (RFC 9110 section 8.8.3): equal tags, equal bytes.
///
/// ```text
/// entity-tag = DQUOTE *( %x21 / %x23-7E / obs-text ) DQUOTE
/// ```
public struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// Without its quotes.
    public let opaque: String

    /// Nil when the text has characters that a tag cannot have.
    public init?(_ opaque: String) {
        guard opaque.utf8.allSatisfy({ $0 == 0x21 || $0 >= 0x23 && $0 <= 0x7e }) else { return nil }
        self.opaque = opaque
    }

    /// The tag of a resource that has a number for each of its versions.
    public init(version: UInt64) { opaque = "v\(version)" }

    /// The tag of a representation: its SHA-256, in base64.
    public init(of representation: [UInt8]) {
        opaque = Base64.url.encode(Digest(hashing: representation.span, with: .sha256).bytes)
    }

    public var description: String { "\"\(opaque)\"" }
}

/// What If-Match or If-None-Match ask for.
///
/// ```text
/// condition = "*" / #( [ "W/" ] entity-tag )
/// ```
public enum TagCondition: Sendable, Equatable {
    case any
    /// The strong tags, and the weak ones.
    case tags([EntityTag], weak: [EntityTag])

    /// Nil for anything that is not written so.
    public init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        if rest.elementsEqual("*".utf8) {
            self = .any
            return
        }
        var strong: [EntityTag] = []
        var weak: [EntityTag] = []
        while !rest.isEmpty {
            let isWeak = rest.starts(with: "W/".utf8)
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.popFirst() == 0x22, let end = rest.firstIndex(of: 0x22),
                let tag = EntityTag(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
            else { return nil }
            if isWeak { weak.append(tag) } else { strong.append(tag) }
            rest = rest[(end + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            guard !rest.isEmpty else { break }
            guard rest.popFirst() == UInt8(ascii: ",") else { return nil }
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            guard !rest.isEmpty else { return nil }
        }
        guard !strong.isEmpty || !weak.isEmpty else { return nil }
        self = .tags(strong, weak: weak)
    }

    /// `weakly`: whether a weak tag will do, as it does for If-None-Match.
    func matches(_ tag: EntityTag?, weakly: Bool) -> Bool {
        guard let tag else { return false }
        switch self {
        case .any: return true
        case .tags(let strong, let weak): return strong.contains(tag) || weakly && weak.contains(tag)
        }
    }
}

extension Request {
    /// Judges If-Match and If-None-Match (RFC 9110 section 13.2.2) by the tag that the resource has now; nil when there
    /// is no resource. Throws 412, and returns the answer 304 to a reader who has the present version.
    public func judge(current tag: EntityTag?) throws(HTTPError) -> Response? {
        if let condition = try condition("if-match") {
            guard condition.matches(tag, weakly: false) else {
                throw HTTPError(
                    .preconditionFailed, "the resource is not the one that If-Match names",
                    status: .preconditionFailed)
            }
        }
        guard let condition = try condition("if-none-match"), condition.matches(tag, weakly: true), let tag
        else { return nil }
        guard method == .get || method == .head else {
            throw HTTPError(
                .preconditionFailed, "the resource is one that If-None-Match excludes",
                status: .preconditionFailed)
        }
        return Response(.notModified).tagged(tag)
    }

    /// The response with the tag of its bytes, or what `judge` makes of it. Streams have no tag.
    public func conditional(_ response: Response) throws(HTTPError) -> Response {
        guard case .bytes(let bytes) = response.body else { return response }
        let tag = EntityTag(of: bytes)
        return try judge(current: tag) ?? response.tagged(tag)
    }

    private func condition(_ name: String) throws(HTTPError) -> TagCondition? {
        let values = fields.values(of: name)
        guard !values.isEmpty else { return nil }
        guard let condition = TagCondition(values.joined(separator: ", ")) else {
            throw .malformed("the field \(name) is no list of entity tags")
        }
        return condition
    }
}
