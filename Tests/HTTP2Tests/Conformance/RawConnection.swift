// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A TCP connection on which frames are said and heard one by one. It blocks, so it belongs on a thread of its own.
final class RawConnection {
    enum Incoming {
        case frame(Frame)
        /// The server ended the connection, in whichever way.
        case closed
        /// Nothing came in time.
        case silence
    }

    static let magic = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let socket: Int32
    private var buffered: [UInt8] = []
    private var start = 0

    /// `receiveBuffer` is the size of the kernel's buffer, for a client that takes little.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBuffer {
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var on: Int32 = 1
        unsafe setsockopt(
            socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(socket)
            throw Refused()
        }
    }

    struct Refused: Error {}

    deinit { close(socket) }

    /// Sends all of it; false when the server has closed, or takes nothing for `patience` milliseconds.
    @discardableResult
    func send(_ bytes: [UInt8], patience: Int32 = 60_000) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                return unsafe Glibc.send(
                    socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                guard wait(for: POLLOUT, patience) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// The next frame, waited for at most `patience` milliseconds.
    func next(patience: Int32 = 60_000) -> Incoming {
        while true {
            if let frame = takeFrame() { return .frame(frame) }
            guard wait(for: POLLIN, patience) else { return .silence }
            guard fill() else { return .closed }
        }
    }

    /// Throws away what has come; false when the server has closed.
    func discardInput() -> Bool {
        while wait(for: POLLIN, 0) {
            guard fill() else { return false }
            buffered.removeAll(keepingCapacity: true)
            start = 0
        }
        return true
    }

    /// Whether the server has ended the connection, though input may lie before the end.
    func isCut() -> Bool {
        var entry = pollfd(fd: socket, events: Int16(0x2000), revents: 0)
        guard unsafe poll(&entry, 1, 0) > 0 else { return false }
        return Int32(entry.revents) & (POLLHUP | POLLERR | 0x2000) != 0
    }

    static func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    private func fill() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = unsafe recv(socket, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffered += bytes[..<count]
        return true
    }

    private func takeFrame() -> Frame? {
        let rest = buffered[start...]
        guard rest.count >= 9 else { return nil }
        let length = rest[start...].prefix(3).reduce(0) { $0 << 8 | Int($1) }
        guard rest.count >= 9 + length else { return nil }
        let stream = rest[(start + 5)..<(start + 9)].reduce(0) { $0 << 8 | UInt32($1) }
        let frame = Frame(
            rest[start + 3], rest[start + 4], stream, Array(rest[(start + 9)...].prefix(length)))
        start += 9 + length
        if start > 1 << 16 || start == buffered.count {
            buffered.removeFirst(start)
            start = 0
        }
        return frame
    }

    private func wait(for events: Int32, _ patience: Int32) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
        while true {
            let result = unsafe poll(&entry, 1, patience)
            if result < 0, errno == EINTR { continue }
            return result > 0
        }
    }
}
