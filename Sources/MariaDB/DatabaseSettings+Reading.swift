// SPDX-License-Identifier: Apache-2.0

public import Settings

extension DatabaseSettings {
    /// A section of the settings that says where the database is, such as `[database]`. `user` is the default.
    ///
    /// ```
    /// [database]
    /// servers = ["db1.example.org:3306", "db2.example.org:3306"]     # or ["/run/mysqld/mysqld.sock"]
    /// user = "signet_control"
    /// password_file = "/etc/signet/database-password"
    /// ca_root = "/etc/signet/database-ca.pem"
    /// ```
    ///
    /// There is no address with a user and a password in it: settings are printed and logged.
    public init(reading section: SettingsReader, user: String) {
        self.init(
            servers: section.value("servers", .list(of: .databaseServer, count: 1...16), default: [.usual]),
            user: section.value("user", .string, default: user),
            passwordFile: section.optional("password_file", .path),
            database: section.value("name", .string, default: "signet"))
        order = section.value("order", .choice(["listed": .listed, "random": .random]), default: .listed)
        let authorities = section.optional("ca_root", .path)
        let certificate = section.optional("tls_cert", .path)
        let key = section.optional("tls_key", .path)
        if let authorities {
            tls = .required(
                authorities: authorities,
                certificate: certificate.flatMap { certificate in
                    key.map { ClientCertificate(certificate: certificate, key: $0) }
                })
        } else if let remote = servers.first(where: { !$0.isOfThisMachine }) {
            section.refuse(
                "servers",
                because: "names \(remote), which is another machine; give `ca_root`, so that TLS is used")
        }
        if (certificate == nil) != (key == nil) {
            section.refuse(
                certificate == nil ? "tls_key" : "tls_cert",
                because: "goes together with the other one of `tls_cert` and `tls_key`")
        }
        connectTimeout = section.value("connect_timeout", .short, default: connectTimeout)
        statementDeadline = section.value("statement_timeout", .short, default: statementDeadline)
        lockWait = section.value("lock_wait", .short, default: lockWait)
    }
}

extension DatabaseSettings.Server {
    fileprivate static let usual = socket(path: "/run/mysqld/mysqld.sock")

    /// What is sent there leaves no machine.
    fileprivate var isOfThisMachine: Bool {
        switch self {
        case .socket: true
        case .address(let host, _): host == "::1" || host == "localhost" || host.hasPrefix("127.")
        }
    }

    /// `/path`, `host:port` or `[address]:port`.
    fileprivate init?(_ text: String) {
        if text.hasPrefix("/") {
            self = .socket(path: text)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ 0x21...0x7e ~= $0 && $0 != 0x40 && $0 != 0x2f }) else {
            return nil
        }
        self = .address(host: String(host), port: port)
    }
}

extension SettingKind<DatabaseSettings.Server> {
    fileprivate static var databaseServer: SettingKind {
        .text(
            "a unix socket's path, or host:port", placeholder: .usual, show: \.description,
            parse: { DatabaseSettings.Server($0) })
    }
}

extension SettingKind<Duration> {
    fileprivate static var short: SettingKind { duration(in: .milliseconds(100) ... .seconds(60)) }
}
