// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Tells the service manager that started the process how it is, over the datagram socket that the variable
/// NOTIFY_SOCKET names (systemd's `Type=notify`).
///
/// A notice that does not arrive is not an error of the process: the service manager goes by its own deadlines.
public struct ServiceNotice: Sendable {
    /// The path; that of an abstract socket begins with `@`. Nil when nobody wants to know.
    private let path: [UInt8]?

    public init(environment: [String: String]) {
        let name = Array((environment["NOTIFY_SOCKET"] ?? "").utf8)
        let isSocket = name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@")
        path = isSocket && (2...Address.longestPath).contains(name.count) ? name : nil
    }

    /// It serves, or serves again after it has read its settings.
    public func ready() { send("READY=1") }

    /// It begins to read its settings again; `ready` follows, whatever came of it.
    public func reloading() {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    /// It takes nothing more and answers what is under way.
    public func stopping() { send("STOPPING=1") }

    private func send(_ text: String) {
        guard let path else { return }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard let socket = try? Descriptor(number, from: "socket") else { return }
        var form = sockaddr_un()
        form.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: path) }
        // The name of an abstract socket begins with a zero byte and ends with its length.
        if path[0] == UInt8(ascii: "@") { form.sun_path.0 = 0 }
        let length = socklen_t(Address.pathOffset + path.count)
        let bytes = Array(text.utf8)
        _ = unsafe withUnsafePointer(to: form) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
