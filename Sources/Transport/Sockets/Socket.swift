// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// Sockets as system calls make them: non-blocking, closed on exec.
enum Socket {
    /// A listening socket. A unix socket's stale path, which nobody listens at, is replaced.
    static func listening(at address: Address, backlog: Int) throws(TransportError) -> Descriptor {
        try address.check()
        if case .unix(let path) = address { try removeStale(path) }
        let socket = try open(address.family)
        if address.family != AF_UNIX { set(socket.number, SOL_SOCKET, SO_REUSEADDR, 1) }
        if address.family == AF_INET6 { set(socket.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        let bound = unsafe address.withKernelForm { unsafe bind(socket.number, $0, $1) }
        guard bound == 0, listen(socket.number, Int32(clamping: backlog)) == 0 else {
            throw TransportError(
                .listenFailed, "cannot listen at \(address): \(TransportError.text(of: errno))")
        }
        return socket
    }

    /// A socket that is connected, or about to be: it can be written to then.
    static func connecting(to address: Address) throws(TransportError) -> Descriptor {
        try address.check()
        let socket = try open(address.family)
        if address.family != AF_UNIX { set(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        let result = unsafe address.withKernelForm { unsafe connect(socket.number, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            throw TransportError(.connectFailed, "\(address): \(TransportError.text(of: errno))")
        }
        return socket
    }

    /// What `accept4` came to.
    enum Accepted {
        case socket(Int32, Address)
        case none
        /// No descriptor was left for it.
        case exhausted
    }

    static func accept(_ listener: Int32) -> Accepted {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        while true {
            let number = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe accept4(
                    listener, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                    &length,
                    Int32(shim_SOCK_FLAGS))
            }
            guard number >= 0 else {
                switch errno {
                case EINTR, ECONNABORTED: continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
                default: return .none
                }
            }
            let address = unsafe withUnsafePointer(to: &storage) { pointer in
                unsafe Address(UnsafeRawPointer(pointer), length: Int(length))
            }
            guard let address else {
                close(number)
                continue
            }
            if address.family != AF_UNIX { set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
            return .socket(number, address)
        }
    }

    /// The user of the process at the other end of a unix socket.
    static func peerUser(of socket: Int32) -> UInt32? { UInt32(exactly: shim_peer_user(socket)) }

    /// The address that a socket is bound to.
    static func localAddress(of socket: Int32) -> Address? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            let raw = UnsafeMutableRawPointer(pointer)
            guard unsafe getsockname(socket, raw.assumingMemoryBound(to: sockaddr.self), &length) == 0 else {
                return nil
            }
            return unsafe Address(raw, length: Int(length))
        }
    }

    /// Makes the end of a TCP connection a reset.
    static func resetOnClose(_ socket: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    static func acknowledgeNow(_ socket: Int32, _ remote: Address) {
        if remote.family != AF_UNIX { set(socket, Int32(IPPROTO_TCP), TCP_QUICKACK, 1) }
    }

    private static func open(_ family: Int32) throws(TransportError) -> Descriptor {
        try Descriptor(socket(family, Int32(shim_SOCK_STREAM_FLAGS), 0), from: "socket")
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func removeStale(_ path: String) throws(TransportError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        // Only a socket that refuses is dead; one that answers belongs to a program that runs.
        let probe = try open(AF_UNIX)
        let result = unsafe Address.unix(path).withKernelForm { unsafe connect(probe.number, $0, $1) }
        if result != 0 && errno == ECONNREFUSED { unsafe unlink(path) }
    }
}
