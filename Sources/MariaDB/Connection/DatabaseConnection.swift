// SPDX-License-Identifier: Apache-2.0

internal import CMariaDB
internal import Glibc

/// One session with a database server. It belongs to one thread, and every call blocks it, at most until its deadline.
///
/// ```swift
/// let connection = try DatabaseConnection.open(settings)
/// let rows = try connection.execute("SELECT name FROM data_key WHERE id = ?", [.uint(7)]).rows
/// ```
///
/// The session speaks utf8mb4, is strict about values, has the time zone +00:00 and the isolation level READ COMMITTED:
/// a statement sees what others committed before it began, and gap locks do not make neighbours wait. On a Galera cluster
/// that holds across its nodes: a statement that reads waits until its node has what the others committed before.
@safe public final class DatabaseConnection {
    let mysql: UnsafeMutablePointer<MYSQL>
    let settings: DatabaseSettings
    let surroundings: Surroundings
    public let server: DatabaseSettings.Server
    let openedAt: ContinuousClock.Instant
    /// No call may last longer than this, whatever the settings allow; set for each use by the pool.
    var limit: ContinuousClock.Instant?
    /// After a lost connection, a missed deadline or a farewell of the server it can only be thrown away.
    public internal(set) var isBroken = false
    /// How many transactions were run again.
    var retries = 0
    /// The error that ended the transaction on the server while the caller is still inside.
    var doom: DatabaseError?
    var isInTransaction = false
    private var statements: [String: PreparedStatement] = [:]
    private var uses = 0

    private static let statementLimit = 64

    /// Takes a session that is connected; `setUp` comes next.
    init(
        connected mysql: UnsafeMutablePointer<MYSQL>, to server: DatabaseSettings.Server,
        _ settings: DatabaseSettings, _ surroundings: Surroundings
    ) {
        unsafe self.mysql = mysql
        self.server = server
        self.settings = settings
        self.surroundings = surroundings
        openedAt = surroundings.now()
    }

    deinit {
        if isBroken { unsafe _ = shutdown(Int32(mysql_get_socket(mysql)), Int32(SHUT_RDWR)) }
        statements.removeAll()
        unsafe mysql_close(mysql)
    }

    /// Like `10.11.19-MariaDB`.
    public var serverVersion: String {
        unsafe mysql_get_server_info(mysql).map { unsafe String(cString: $0) } ?? ""
    }

    public var isMariaDB: Bool { unsafe mariadb_connection(mysql) != 0 }
    public var isEncrypted: Bool { unsafe mysql_get_ssl_cipher(mysql) != nil }

    // MARK: Statements

    /// Runs one statement, prepared once for this connection, with a value for each `?`.
    @available(*, noasync, message: "it blocks the thread")
    @discardableResult
    public func execute(_ sql: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError)
        -> DatabaseResult
    {
        if let doom { throw doom }
        let block = try ParameterBlock(parameters)
        do {
            return try execute(sql, block)
        } catch {
            guard Self.staleStatement.contains(error.number) else { throw error }
            statements[sql] = nil
            return try execute(sql, block)
        }
    }

    /// What is answered when a table changed since the statement was prepared, before anything was written.
    private static let staleStatement = [1243, 1615, Int(CR_NEW_STMT_METADATA)]

    private func execute(_ sql: String, _ parameters: borrowing ParameterBlock) throws(DatabaseError)
        -> DatabaseResult
    {
        let statement = try prepared(sql)
        guard statement.parameterCount == parameters.count else {
            throw DatabaseError(
                .badStatement,
                "\(summary(of: sql)): it takes \(statement.parameterCount) values, \(parameters.count) were given"
            )
        }
        try run(sql, { statement.execute(parameters) && (!statement.hasRows || statement.storeRows()) }) {
            statement.failure($0)
        }
        return try statement.result()
    }

    /// Runs one statement that need not or cannot be prepared, such as DDL and SET, and ignores its rows.
    @available(*, noasync, message: "it blocks the thread")
    public func executeDirectly(_ sql: String) throws(DatabaseError) {
        if let doom { throw doom }
        try runText(sql)
    }

    /// Asks the server for a sign of life.
    @available(*, noasync, message: "it blocks the thread")
    public func ping() throws(DatabaseError) {
        try run("ping", { unsafe mysql_ping(mysql) == 0 }) { failure($0) }
    }

    /// Whether the server holds a transaction open for us.
    var serverIsInTransaction: Bool {
        unsafe mysql.pointee.server_status & UInt32(shim_SERVER_STATUS_IN_TRANS) != 0
    }

    func runText(_ sql: String) throws(DatabaseError) {
        var text = sql
        try run(
            sql,
            {
                let sent = text.withUTF8 { utf8 in
                    unsafe utf8.withMemoryRebound(to: CChar.self) { text in
                        unsafe mysql_real_query(mysql, text.baseAddress, UInt(text.count)) == 0
                    }
                }
                guard sent else { return false }
                guard unsafe mysql_field_count(mysql) > 0 else { return true }
                guard let rows = unsafe mysql_store_result(mysql) else { return false }
                unsafe mysql_free_result(rows)
                return true
            }
        ) { failure($0) }
    }

    // MARK: The way into the library

    /// One call within its deadline, its error drained at once.
    private func run(_ sql: String, _ call: () -> Bool, _ failure: (String) -> DatabaseError)
        throws(DatabaseError)
    {
        guard !isBroken else { throw DatabaseError(.connectionLost, "the connection to \(server) is gone") }
        let start = surroundings.now()
        var deadline = start + settings.statementDeadline
        if let limit { deadline = min(deadline, limit) }
        guard deadline > start else {
            throw DatabaseError(.deadline, "no time was left for: \(summary(of: sql))")
        }
        guard !DeadlineWait.until(deadline, call) else { return }
        var error = failure(summary(of: sql))
        if error.kind == .tls {
            error = error.seen(as: .connectionLost, "the TLS session with \(server) broke")
        }
        if error.kind == .connectionLost, surroundings.now() >= deadline {
            error = error.seen(as: .deadline, "\(server) did not answer within \(deadline - start)")
            isBroken = true
        }
        note(error)
        throw error
    }

    private func note(_ error: DatabaseError) {
        if error.kind.breaksConnection { isBroken = true }
        guard isInTransaction else { return }
        if isBroken || error.kind == .deadlock { doom = error }
    }

    func failure(_ what: String) -> DatabaseError {
        DatabaseError(
            number: Int(unsafe mysql_errno(mysql)), sqlState: unsafe String(cString: mysql_sqlstate(mysql)),
            detail: unsafe String(cString: mysql_error(mysql)), during: what)
    }

    private func prepared(_ sql: String) throws(DatabaseError) -> PreparedStatement {
        uses += 1
        if let known = statements[sql] {
            known.lastUse = uses
            return known
        }
        if statements.count >= Self.statementLimit,
            let oldest = statements.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            statements[oldest.key] = nil
        }
        guard let handle = unsafe mysql_stmt_init(mysql) else { throw failure("preparing a statement") }
        let statement = unsafe PreparedStatement(handle)
        try run(sql, { statement.prepare(sql) }) { statement.failure($0) }
        statement.lastUse = uses
        statements[sql] = statement
        return statement
    }

    /// The beginning of a statement, for messages; values are never part of its text.
    private func summary(of sql: String) -> String {
        let line = sql.split(whereSeparator: \.isWhitespace).prefix(12).joined(separator: " ")
        return line.count > 80 ? line.prefix(80) + "..." : line
    }
}
