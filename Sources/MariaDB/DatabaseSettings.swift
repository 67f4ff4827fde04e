// SPDX-License-Identifier: Apache-2.0

/// Where the database is and how to speak to it. Every field but `servers`, `user` and `database` has a working value.
public struct DatabaseSettings: Sendable {
    public enum Server: Hashable, Sendable, CustomStringConvertible {
        case socket(path: String)
        case address(host: String, port: UInt16)

        public var description: String {
            switch self {
            case .socket(let path): path
            case .address(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            }
        }
    }

    /// In which order the servers are tried for a new connection. One that failed of late comes last.
    public enum Order: Hashable, Sendable {
        /// The first that answers: a primary and its standby.
        case listed
        /// Any: the nodes of a cluster share the load.
        case random
    }

    public enum TLS: Hashable, Sendable {
        case off
        /// The server's certificate must lead to one of the roots in `authorities` (a PEM file) and bear the host's
        /// name. Over a unix socket there is no TLS: both ends are this machine.
        case required(authorities: String, certificate: ClientCertificate? = nil)
    }

    /// PEM files of a certificate for the server to know us by.
    public struct ClientCertificate: Hashable, Sendable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    public var servers: [Server]
    public var order = Order.listed
    public var user: String
    /// A file that its owner alone may read, read again for each new connection; `nil` for a user without password.
    public var passwordFile: String?
    /// Empty for none.
    public var database: String
    public var tls = TLS.off
    /// For each server of the list.
    public var connectTimeout = Duration.seconds(3)
    /// How long a statement may take. The server ends it then; a server that does not answer is hung up on.
    public var statementDeadline = Duration.seconds(3)
    /// How long a statement waits for another transaction's row.
    public var lockWait = Duration.seconds(2)
    public var retry = RetryPolicy()

    public init(servers: [Server], user: String, passwordFile: String? = nil, database: String) {
        self.servers = servers
        self.user = user
        self.passwordFile = passwordFile
        self.database = database
    }
}
