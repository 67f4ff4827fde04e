// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// The address of a socket, in numbers.
public enum Address: Hashable, Sendable, CustomStringConvertible {
    case ip4(UInt32, port: UInt16)
    case ip6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)
    /// A path; empty for a peer that bound none.
    case unix(String)

    /// An IPv4 or IPv6 address as text, without brackets; `nil` for anything else, a name too.
    public init?(_ text: String, port: UInt16) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self = .ip4(UInt32(bigEndian: four.s_addr), port: port)
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = Self.ip6(six, scope: 0, port: port)
    }

    /// `0` for a unix socket.
    public var port: UInt16 {
        switch self {
        case .ip4(_, let port), .ip6(_, _, _, let port): port
        case .unix: 0
        }
    }

    public var description: String {
        switch self {
        case .ip4(let bits, let port):
            unsafe withUnsafeBytes(of: bits.bigEndian) { unsafe Self.text(AF_INET, $0.baseAddress) }
                + ":\(port)"
        case .ip6(let high, let low, let scope, let port):
            "[" + Self.text(high, low) + (scope == 0 ? "" : "%\(scope)") + "]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// What counts as one client for the limit of connections: the address, for IPv6 the /64 network. None for unix.
    var client: Address? {
        switch self {
        case .ip4(let bits, _): .ip4(bits, port: 0)
        case .ip6(0, let low, _, _) where low >> 32 == 0xffff:
            .ip4(UInt32(truncatingIfNeeded: low), port: 0)
        case .ip6(let high, _, let scope, _): .ip6(high: high, low: 0, scope: scope, port: 0)
        case .unix: nil
        }
    }

    // MARK: The kernel's form

    var family: Int32 {
        switch self {
        case .ip4: AF_INET
        case .ip6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls with the address as the kernel reads it. A unix path must have been checked.
    func withKernelForm<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            let raw = UnsafeMutableRawPointer(pointer)
            var length = 0
            switch self {
            case .ip4(let bits, let port):
                var form = sockaddr_in()
                form.sin_family = sa_family_t(AF_INET)
                form.sin_port = port.bigEndian
                form.sin_addr.s_addr = bits.bigEndian
                unsafe raw.storeBytes(of: form, as: sockaddr_in.self)
                length = MemoryLayout<sockaddr_in>.size
            case .ip6(let high, let low, let scope, let port):
                var form = sockaddr_in6()
                form.sin6_family = sa_family_t(AF_INET6)
                form.sin6_port = port.bigEndian
                form.sin6_addr = Self.in6(high, low)
                form.sin6_scope_id = scope
                unsafe raw.storeBytes(of: form, as: sockaddr_in6.self)
                length = MemoryLayout<sockaddr_in6>.size
            case .unix(let path):
                unsafe raw.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
                var offset = Self.pathOffset
                for byte in path.utf8.prefix(Self.longestPath) {
                    unsafe raw.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                    offset += 1
                }
                length = offset + 1
            }
            return unsafe body(UnsafePointer(raw.assumingMemoryBound(to: sockaddr.self)), socklen_t(length))
        }
    }

    /// Reads what `getsockname`, `accept4` or the resolver wrote.
    init?(_ form: UnsafeRawPointer, length: Int) {
        guard length >= MemoryLayout<sa_family_t>.size else { return nil }
        let family = unsafe form.loadUnaligned(as: sa_family_t.self)
        switch Int32(family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let four = unsafe form.loadUnaligned(as: sockaddr_in.self)
            self = .ip4(UInt32(bigEndian: four.sin_addr.s_addr), port: UInt16(bigEndian: four.sin_port))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            let six = unsafe form.loadUnaligned(as: sockaddr_in6.self)
            self = Self.ip6(six.sin6_addr, scope: six.sin6_scope_id, port: UInt16(bigEndian: six.sin6_port))
        case AF_UNIX:
            var path: [UInt8] = []
            for offset in Self.pathOffset..<max(Self.pathOffset, length) {
                let byte = unsafe form.load(fromByteOffset: offset, as: UInt8.self)
                if byte == 0 { break }
                path.append(byte)
            }
            self = .unix(String(decoding: path, as: UTF8.self))
        default: return nil
        }
    }

    /// A unix path that is too long, empty or holds a zero byte would name another socket.
    func check() throws(TransportError) {
        guard case .unix(let path) = self else { return }
        guard !path.isEmpty, path.utf8.count <= Self.longestPath, !path.utf8.contains(0) else {
            throw TransportError(
                .addressInvalid, "the path of a unix socket has 1 to \(Self.longestPath) bytes: \(path)")
        }
    }

    static let longestPath = 107
    static let pathOffset = MemoryLayout<sa_family_t>.size

    private static func ip6(_ bytes: in6_addr, scope: UInt32, port: UInt16) -> Address {
        let (high, low) = unsafe withUnsafeBytes(of: bytes) { raw in
            unsafe (
                UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        return .ip6(high: high, low: low, scope: scope, port: port)
    }

    private static func in6(_ high: UInt64, _ low: UInt64) -> in6_addr {
        var bytes = in6_addr()
        unsafe withUnsafeMutableBytes(of: &bytes) { raw in
            unsafe raw.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return bytes
    }

    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        unsafe withUnsafeBytes(of: in6(high, low)) { unsafe text(AF_INET6, $0.baseAddress) }
    }

    private static func text(_ family: Int32, _ bytes: UnsafeRawPointer?) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
