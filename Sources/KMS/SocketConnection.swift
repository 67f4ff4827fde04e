// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc
internal import Secrets

/// A blocking connection to a unix socket, all of it within one deadline.
struct SocketConnection: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private let end: ContinuousClock.Instant

    init(_ path: String, within time: Duration) throws(KMSError) {
        end = .now + time
        self.path = path
        let sort = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        descriptor = socket(AF_UNIX, Int32(sort), 0)
        guard descriptor >= 0 else { throw Self.fault(path, "no socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in bytes.prefix(place.count - 1).enumerated() { unsafe place[index] = byte }
        }
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // A full line of connections answers EAGAIN at once, and is no reason to wait for.
        guard connected == 0 else { throw Self.fault(path, "cannot be connected to") }
    }

    deinit { close(descriptor) }

    /// Sends all of it, and says that nothing follows.
    func send(_ message: borrowing SecretBytes) throws(KMSError) {
        var sent = 0
        while sent < message.count {
            let rest = message.bytes.extracting(sent...)
            let count = unsafe rest.withUnsafeBufferPointer {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT)
            } else if errno != EINTR {
                throw Self.fault(path, "hung up")
            }
        }
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { throw Self.fault(path, "hung up") }
    }

    /// All that comes until the service hangs up.
    func receive(limit: Int) throws -> SecretBytes {
        var failure: KMSError?
        let bytes = try SecretBytes(capacity: limit) { output in
            do throws(KMSError) {
                try fill(&output)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private func fill(_ output: inout OutputSpan<UInt8>) throws(KMSError) {
        while true {
            guard output.freeCapacity > 0 else {
                throw KMSError(.kmsAnswerMalformed, "the answer of \(path) is too long")
            }
            var count = 0
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                let free = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...])
                count = unsafe recv(descriptor, free.baseAddress, free.count, 0)
                if count > 0 { initialized += count }
            }
            if count == 0 { return }
            if count < 0, errno == EAGAIN {
                try wait(for: POLLIN)
            } else if count < 0, errno != EINTR {
                throw Self.fault(path, "hung up")
            }
        }
    }

    private func wait(for event: Int32) throws(KMSError) {
        let left = (end - .now) / .milliseconds(1)
        guard left > 0 else { throw KMSError(.kmsUnavailable, "\(path): no answer within the deadline") }
        var place = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        unsafe _ = poll(&place, 1, Int32(clamping: Int(left.rounded(.up))))
    }

    private static func fault(_ path: String, _ what: String) -> KMSError {
        KMSError(.kmsUnavailable, "\(path) \(what): \(unsafe String(cString: strerror(errno)))")
    }
}
