// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What a request asks for, read once and strictly (RFC 9112 section 3.2, RFC 3986):
///
/// ```text
/// target   = origin / absolute / "*"
/// origin   = path [ "?" query ]
/// absolute = ( "http" / "https" ) "://" authority path [ "?" query ]
/// path     = 1*( "/" segment )
/// segment  = *( unreserved / escape / sub-delims / ":" / "@" )
/// query    = [ pair *( "&" pair ) ]
/// pair     = text [ "=" text ]
/// text     = *( segment characters / "/" / "?" )   ; "+" is a space
/// escape   = "%" 2HEXDIG
/// ```
///
/// A segment is decoded after the path has been split, and never again. Refused, since somebody before or behind this
/// program may read them otherwise: escapes of `/`, `\`, NUL and other control characters in a path, segments `.` and
/// `..` in any spelling, empty segments inside a path, text that is not UTF-8, NUL in a query, malformed escapes.
public struct RequestTarget: Sendable, Equatable {
    /// The decoded segments; a path that ends in a slash has an empty last one, and `/` alone has none.
    public let segments: [String]
    public let query: Query
    /// The path as it came, for logs.
    public let path: String
    /// Of the absolute form.
    public let authority: String?
    /// `*`, for OPTIONS of the whole server.
    public var isServer: Bool { path == "*" }

    public static let mostParameters = 128

    static let root = RequestTarget()

    private init() { (segments, query, path, authority) = ([], Query(), "/", nil) }

    public init(_ text: String) throws(HTTPError) {
        if text == "*" {
            (segments, query, path, authority) = ([], Query(), "*", nil)
            return
        }
        var rest = Array(text.utf8)[...]
        var authority: String?
        if rest.first != UInt8(ascii: "/") { authority = try Self.takeAuthority(&rest) }
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        let pathBytes = rest[..<(mark ?? rest.endIndex)]
        segments = try Self.segments(pathBytes)
        path = String(decoding: pathBytes, as: UTF8.self)
        query = try mark.map { (mark) throws(HTTPError) in try Query(rest[(mark + 1)...]) } ?? Query()
        self.authority = authority
    }

    private static func takeAuthority(_ rest: inout ArraySlice<UInt8>) throws(HTTPError) -> String {
        for scheme in ["http://", "https://"] where rest.starts(with: scheme.utf8) {
            rest = rest.dropFirst(scheme.utf8.count)
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            let authority = rest[rest.startIndex..<end]
            guard !authority.isEmpty, authority.allSatisfy(\.isHostByte) else { break }
            rest = rest[end...]
            if rest.first != UInt8(ascii: "/") { rest = [UInt8(ascii: "/")] + rest }
            return String(decoding: authority, as: UTF8.self)
        }
        throw .malformed("the request target is neither a path nor a URL of http or https")
    }

    private static func segments(_ path: ArraySlice<UInt8>) throws(HTTPError) -> [String] {
        let parts = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.count == 1, parts[0].isEmpty { return [] }
        var segments: [String] = []
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty || index == parts.count - 1 else {
                throw .malformed("an empty segment in the path")
            }
            let text = try Escapes.decode(part, allowed: \.isSegmentByte, plusIsSpace: false)
            guard text != ".", text != ".." else { throw .malformed("a dot segment in the path") }
            for byte in text.utf8 where byte < 0x20 || byte == 0x7f || byte == 0x2f || byte == 0x5c {
                throw .malformed("an escaped slash, backslash or control character in the path")
            }
            segments.append(text)
        }
        return segments
    }
}

/// Percent-encoding, in both directions.
enum Escapes {
    static func decode(
        _ bytes: ArraySlice<UInt8>, allowed: (UInt8) -> Bool, plusIsSpace: Bool
    ) throws(HTTPError) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.endIndex, let high = bytes[index + 1].hexValue,
                    let low = bytes[index + 2].hexValue
                else { throw .malformed("a malformed escape in the request target") }
                decoded.append(UInt8(truncatingIfNeeded: high << 4 | low))
                index += 3
                continue
            }
            guard allowed(byte) else { throw .malformed("a character that a request target cannot have") }
            decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
        guard !decoded.contains(0), let text = String(validatingUTF8: decoded.span) else {
            throw .malformed("NUL or text that is not UTF-8 in the request target")
        }
        return text
    }

    /// Escapes all but the unreserved characters of RFC 3986.
    static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if byte.isUnreservedByte {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
}

extension UInt8 {
    var isUnreservedByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
        default: false
        }
    }

    /// pchar of RFC 3986 but for escapes: unreserved, sub-delims, `:` and `@`.
    var isSegmentByte: Bool {
        switch self {
        case 0x21, 0x24, 0x26...0x2c, 0x3a, 0x3b, 0x3d, 0x40: true
        default: isUnreservedByte
        }
    }

    var isQueryByte: Bool { isSegmentByte || self == 0x2f || self == 0x3f }
}
