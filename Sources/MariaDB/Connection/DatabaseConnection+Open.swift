// SPDX-License-Identifier: Apache-2.0

internal import CMariaDB
internal import Glibc
internal import Secrets

extension DatabaseConnection {
    /// Connects to the first server of the list that answers, and sets the session up.
    @available(*, noasync, message: "it blocks the thread")
    public static func open(_ settings: DatabaseSettings, _ surroundings: Surroundings = .system) throws
        -> DatabaseConnection
    {
        var servers = ServerList(settings)
        return try open(settings, &servers, surroundings, limit: nil)
    }

    static func open(
        _ settings: DatabaseSettings, _ servers: inout ServerList, _ surroundings: Surroundings,
        limit: ContinuousClock.Instant?
    ) throws -> DatabaseConnection {
        guard !settings.servers.isEmpty else { throw DatabaseError(.settings, "no database server is named") }
        var failures: [(DatabaseSettings.Server, DatabaseError)] = []
        for place in servers.order(at: surroundings.now(), random: surroundings.random) {
            let server = settings.servers[place]
            do {
                let connection = try connect(to: server, settings, surroundings, limit)
                servers.answered(place)
                return connection
            } catch let error as DatabaseError where error.kind != .settings {
                servers.failed(place, at: surroundings.now())
                failures.append((server, error))
            }
        }
        let causes = failures.map { "\($0.0): \($0.1.message)" }.joined(separator: "; ")
        // What will not pass by itself counts most, then what the last server said.
        let telling = failures.first { !$0.1.kind.mayPass } ?? failures.last
        throw DatabaseError(
            telling?.1.kind ?? .cannotConnect, "no database server could be used: \(causes)",
            number: telling?.1.number ?? 0, sqlState: telling?.1.sqlState ?? "")
    }

    private static func connect(
        to server: DatabaseSettings.Server, _ settings: DatabaseSettings, _ surroundings: Surroundings,
        _ limit: ContinuousClock.Instant?
    ) throws -> DatabaseConnection {
        _ = libraryIsReady
        guard let mysql = unsafe mysql_init(nil) else {
            throw DatabaseError(.other, "no memory for a session")
        }
        let connection = unsafe DatabaseConnection(connected: mysql, to: server, settings, surroundings)
        try connection.setOptions()
        let start = surroundings.now()
        let deadline = min(start + settings.connectTimeout, limit ?? start + settings.connectTimeout)
        guard deadline > start else { throw DatabaseError(.deadline, "no time was left for connecting") }
        let password = try settings.passwordFile.map { try PasswordFile.read($0) }
        let isConnected = DeadlineWait.until(deadline) { connection.connect(password) }
        // Nobody reconnects behind our back, so the library's copy of the password is of no more use.
        if let copy = unsafe mysql.pointee.passwd { unsafe explicit_bzero(copy, strlen(copy)) }
        guard isConnected else {
            connection.isBroken = true
            throw connection.connectFailure(start: start, deadline: deadline)
        }
        unsafe DeadlineWait.connected(mysql)
        connection.limit = deadline
        try connection.setUpSession()
        connection.limit = nil
        return connection
    }

    private static let libraryIsReady: Bool = mysql_server_init(0, nil, nil) == 0

    // MARK: Options

    private func setOptions() throws {
        unsafe DeadlineWait.install(on: mysql)
        set(MYSQL_OPT_CONNECT_TIMEOUT, UInt32(clamping: settings.connectTimeout.components.seconds + 1))
        set(MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // Nothing that a server could ask of us beyond proving the password.
        set(MYSQL_OPT_LOCAL_INFILE, UInt32(0))
        set(
            MARIADB_OPT_RESTRICTED_AUTH,
            "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password")
        guard case .address = server, case .required(let authorities, let certificate) = settings.tls else {
            return
        }
        for file in [authorities, certificate?.certificate, certificate?.key].compactMap({ $0 })
        where unsafe access(file, R_OK) != 0 {
            throw DatabaseError(.settings, "the TLS file \(file) cannot be read (errno \(errno))")
        }
        set(MYSQL_OPT_SSL_ENFORCE, my_bool(1))
        set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, my_bool(1))
        set(MYSQL_OPT_SSL_CA, authorities)
        set(MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3")
        if let certificate {
            set(MYSQL_OPT_SSL_CERT, certificate.certificate)
            set(MYSQL_OPT_SSL_KEY, certificate.key)
        }
    }

    private func set(_ option: mysql_option, _ value: String) {
        unsafe _ = value.withCString { unsafe mysql_options(mysql, option, $0) }
    }

    private func set<Number: FixedWidthInteger>(_ option: mysql_option, _ value: Number) {
        var value = value
        unsafe _ = withUnsafePointer(to: &value) { unsafe mysql_options(mysql, option, $0) }
    }

    // MARK: Connecting

    private func connect(_ password: borrowing SecretBytes?) -> Bool {
        switch password {
        case .some(let password):
            unsafe password.bytes.withUnsafeBufferPointer { secret in
                unsafe secret.withMemoryRebound(to: CChar.self) { unsafe connect($0.baseAddress) }
            }
        case .none: unsafe connect(nil as UnsafePointer<CChar>?)
        }
    }

    private func connect(_ password: UnsafePointer<CChar>?) -> Bool {
        switch server {
        case .socket(let path):
            set(MYSQL_OPT_PROTOCOL, UInt32(MYSQL_PROTOCOL_SOCKET.rawValue))
            return unsafe mysql_real_connect(
                mysql, nil, settings.user, password, settings.database, 0, path, 0) != nil
        case .address(let host, let port):
            set(MYSQL_OPT_PROTOCOL, UInt32(MYSQL_PROTOCOL_TCP.rawValue))
            return unsafe mysql_real_connect(
                mysql, host, settings.user, password, settings.database, UInt32(port), nil, 0) != nil
        }
    }

    private func connectFailure(
        start: ContinuousClock.Instant, deadline: ContinuousClock.Instant
    ) -> DatabaseError {
        let error = failure("connecting as \(settings.user)")
        if surroundings.now() >= deadline {
            return error.seen(as: .cannotConnect, "no session within \(deadline - start)")
        }
        return error.kind == .connectionLost ? error.seen(as: .cannotConnect, "the server hung up") : error
    }

    // MARK: Session

    private func setUpSession() throws {
        if case .address = server, case .required = settings.tls, !isEncrypted {
            throw DatabaseError(.tls, "the session with \(server) is not encrypted")
        }
        let modes = """
            STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
            NO_ENGINE_SUBSTITUTION
            """
        let lockWait = max(1, Int(settings.lockWait / .seconds(1)))
        // A tenth earlier than we hang up, so that as a rule the server answers and the connection stays.
        let limit = settings.statementDeadline / .seconds(1) * 0.9
        let timeLimit =
            isMariaDB
            ? "max_statement_time = \(limit)" : "max_execution_time = \(max(1, Int(limit * 1000)))"
        try runText(
            """
            SET time_zone = '+00:00', sql_mode = '\(modes)', autocommit = 1, \
            innodb_lock_wait_timeout = \(lockWait), \(timeLimit)
            """)
        try runText("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        try waitForOtherNodes()
    }

    /// Two connections of a pool may be on two nodes of a cluster, and what one has read the other must know.
    private func waitForOtherNodes() throws(DatabaseError) {
        do {
            try runText("SET SESSION wsrep_sync_wait = 1")
        } catch {
            // Some servers know no clusters.
            guard error.number == Self.unknownVariable else { throw error }
        }
    }

    private static let unknownVariable = 1193
}
