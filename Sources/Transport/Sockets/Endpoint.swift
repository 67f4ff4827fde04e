// SPDX-License-Identifier: Apache-2.0

/// Where a service is: a name or address with a port, or the path of a unix socket.
public enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case host(String, port: UInt16)
    case unix(String)

    public var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
