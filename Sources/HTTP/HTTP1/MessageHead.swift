// SPDX-License-Identifier: Apache-2.0

public import HTTP2

/// The first lines of an HTTP/1.1 message, read strictly (RFC 9112):
///
/// ```text
/// head         = start-line CRLF *( field-line CRLF ) CRLF
/// request-line = method SP request-target SP "HTTP/1." ( "0" / "1" )
/// status-line  = "HTTP/1." ( "0" / "1" ) SP 3DIGIT SP *( VCHAR / SP / HTAB / obs-text )
/// field-line   = token ":" OWS *( VCHAR / SP / HTAB / obs-text ) OWS
/// ```
///
/// Refused, since programs along the way read them in different ways: folded lines, white space before the colon, bare
/// CR or LF, NUL, several lengths, a length beside a transfer coding, any coding but `chunked`, and a missing or
/// second Host.
public struct MessageHead: Sendable, Equatable {
    public enum Start: Sendable, Equatable {
        case request(method: String, target: String)
        case response(Status)
    }

    /// How the end of the body is found.
    public enum Framing: Sendable, Equatable {
        case none
        case length(UInt64)
        case chunked
        /// A response without a length lasts until the connection ends.
        case untilClose
    }

    public var start: Start
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    public var minorVersion: Int
    /// Names in lower case.
    public var fields: HeaderFields
    public var framing: Framing

    /// Whether another message may follow on the connection.
    public var keepsAlive: Bool {
        let options = fields.values(of: "connection").flatMap { $0.split(separator: ",") }.map {
            $0.filter { $0 != " " && $0 != "\t" }.lowercased()
        }
        if options.contains("close") || framing == .untilClose { return false }
        return minorVersion == 1 || options.contains("keep-alive")
    }

    /// Reads a head that ends with an empty line. `answers` is the method of the request that a response belongs to.
    static func request(_ bytes: ArraySlice<UInt8>, limits: MessageLimits) throws(MessageError) -> MessageHead
    {
        var lines = Lines(bytes)
        let parts = lines.next().split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw MessageError("malformed request line") }
        let method = parts[0]
        guard !method.isEmpty, method.count <= 32, method.allSatisfy(\.isTokenByte) else {
            throw MessageError("malformed method")
        }
        let minor = try version(parts[2])
        guard !parts[1].isEmpty, parts[1].allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") })
        else {
            throw MessageError("malformed request target")
        }
        let fields = try lines.fields(limits)
        let hosts = fields.values(of: "host")
        guard hosts.count == 1 || hosts.isEmpty && minor == 0 else {
            throw MessageError("a request needs exactly one Host field")
        }
        guard hosts.allSatisfy({ $0.utf8.allSatisfy(\.isHostByte) }) else {
            throw MessageError("malformed Host field")
        }
        var framing = try Self.framing(fields, minor: minor)
        if framing == .untilClose { framing = .none }
        return MessageHead(
            start: .request(
                method: String(decoding: method, as: UTF8.self),
                target: String(decoding: parts[1], as: UTF8.self)),
            minorVersion: minor, fields: fields, framing: framing)
    }

    /// Reads a response's head; `method` is that of the request it answers.
    static func response(
        _ bytes: ArraySlice<UInt8>, to method: String, limits: MessageLimits
    ) throws(MessageError) -> MessageHead {
        var lines = Lines(bytes)
        let line = lines.next()
        let parts = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[1].count == 3, parts[1].allSatisfy(\.isDigitByte) else {
            throw MessageError("malformed status line")
        }
        let reason = parts.count == 3 ? parts[2] : []
        let minor = try version(parts[0])
        let status = Status(rawValue: parts[1].reduce(0) { $0 * 10 + Int($1 - 0x30) })
        guard status.rawValue >= 100, reason.allSatisfy(\.isFieldByte) else {
            throw MessageError("malformed status line")
        }
        guard status.rawValue != 101 else {
            throw MessageError("a switch of protocols that nobody asked for")
        }
        let fields = try lines.fields(limits)
        var framing = try Self.framing(fields, minor: minor)
        if status.forbidsBody || method == "HEAD" { framing = .none }
        return MessageHead(start: .response(status), minorVersion: minor, fields: fields, framing: framing)
    }

    private static func version(_ bytes: ArraySlice<UInt8>) throws(MessageError) -> Int {
        guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8), let last = bytes.last else {
            throw MessageError("malformed protocol version")
        }
        guard bytes.starts(with: "HTTP/1.".utf8), last == 0x30 || last == 0x31 else {
            throw MessageError("this protocol version is not spoken here", .versionNotSupported)
        }
        return Int(last - 0x30)
    }

    private static func framing(_ fields: HeaderFields, minor: Int) throws(MessageError) -> Framing {
        let codings = fields.values(of: "transfer-encoding")
        let lengths = fields.values(of: "content-length")
        if !codings.isEmpty {
            guard lengths.isEmpty else { throw MessageError("both Transfer-Encoding and Content-Length") }
            guard minor == 1 else { throw MessageError("Transfer-Encoding in HTTP/1.0") }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                throw MessageError("only the transfer coding chunked is known", .notImplemented)
            }
            return .chunked
        }
        guard let text = lengths.first else { return .untilClose }
        guard lengths.count == 1, !text.isEmpty, text.utf8.count <= 19, text.utf8.allSatisfy(\.isDigitByte),
            let length = UInt64(text)
        else { throw MessageError("malformed Content-Length") }
        return length == 0 ? .none : .length(length)
    }
}

/// The lines of a head whose every line ends with CRLF.
struct Lines {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> ArraySlice<UInt8> {
        guard let end = rest.firstIndex(of: 0x0a) else { return [] }
        let line = rest[rest.startIndex..<end]
        rest = rest[(end + 1)...]
        return line.last == 0x0d ? line.dropLast() : line
    }

    /// The field lines up to the empty one.
    mutating func fields(_ limits: MessageLimits) throws(MessageError) -> HeaderFields {
        var fields = HeaderFields()
        while true {
            let line = next()
            guard !line.isEmpty else { return fields }
            guard fields.count < limits.fields else {
                throw MessageError("too many fields", .headerFieldsTooLarge)
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
                throw MessageError("malformed field line")
            }
            let name = line[line.startIndex..<colon]
            guard name.allSatisfy(\.isTokenByte) else { throw MessageError("malformed field name") }
            var value = line[(colon + 1)...]
            while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
            while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
            guard value.allSatisfy(\.isFieldByte) else { throw MessageError("malformed field value") }
            let lowercased = name.map(\.lowercasedByte)
            let trimmed = Array(value)
            fields.append(name: lowercased.span, value: trimmed.span)
        }
    }
}

extension UInt8 {
    var isDigitByte: Bool { self >= 0x30 && self <= 0x39 }

    /// tchar of RFC 9110.
    var isTokenByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e, 0x5f, 0x60, 0x7c, 0x7e: true
        default: false
        }
    }

    /// VCHAR, SP, HTAB and obs-text.
    var isFieldByte: Bool { self == 0x09 || self >= 0x20 && self != 0x7f }

    var isHostByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        // - . : [ ] _ ~ and % of percent-encoding and of zone ids
        case 0x2d, 0x2e, 0x3a, 0x5b, 0x5d, 0x5f, 0x7e, 0x25: true
        default: false
        }
    }

    var lowercasedByte: UInt8 { self >= 0x41 && self <= 0x5a ? self + 0x20 : self }

    var hexValue: UInt64? {
        switch self {
        case 0x30...0x39: UInt64(self - 0x30)
        case 0x41...0x46: UInt64(self - 0x41 + 10)
        case 0x61...0x66: UInt64(self - 0x61 + 10)
        default: nil
        }
    }
}
