// SPDX-License-Identifier: Apache-2.0

internal import CMariaDB

/// One statement that the server has parsed. It belongs to its connection's thread and cache.
@safe final class PreparedStatement {
    let handle: UnsafeMutablePointer<MYSQL_STMT>
    /// When it was used last, in executions of its connection.
    var lastUse = 0

    init(_ handle: UnsafeMutablePointer<MYSQL_STMT>) { unsafe self.handle = handle }
    deinit { unsafe _ = mysql_stmt_close(handle) }

    func prepare(_ sql: String) -> Bool {
        var sql = sql
        return sql.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) { text in
                unsafe mysql_stmt_prepare(handle, text.baseAddress, UInt(text.count)) == 0
            }
        }
    }

    var parameterCount: Int { Int(unsafe mysql_stmt_param_count(handle)) }

    func execute(_ parameters: borrowing ParameterBlock) -> Bool {
        if parameters.count > 0 {
            guard unsafe mysql_stmt_bind_param(handle, parameters.binds) == 0 else { return false }
        }
        return unsafe mysql_stmt_execute(handle) == 0
    }

    /// Whether the statement returned rows, which then have to be stored and read.
    var hasRows: Bool { unsafe mysql_stmt_field_count(handle) > 0 }

    func storeRows() -> Bool { unsafe mysql_stmt_store_result(handle) == 0 }

    /// What the last execution answered; rows were stored before.
    func result() throws(DatabaseError) -> DatabaseResult {
        guard hasRows else {
            return DatabaseResult(
                columns: [], rows: [], affectedRows: Int(clamping: unsafe mysql_stmt_affected_rows(handle)),
                insertID: unsafe mysql_stmt_insert_id(handle))
        }
        defer { unsafe _ = mysql_stmt_free_result(handle) }
        guard let metadata = unsafe mysql_stmt_result_metadata(handle) else { throw failure("reading rows") }
        defer { unsafe mysql_free_result(metadata) }
        let buffer = unsafe ResultBuffer(metadata)
        guard unsafe mysql_stmt_bind_result(handle, buffer.binds) == 0 else { throw failure("reading rows") }
        var rows: [DatabaseRow] = []
        rows.reserveCapacity(Int(clamping: unsafe mysql_stmt_num_rows(handle)))
        while true {
            switch unsafe mysql_stmt_fetch(handle) {
            case 0, MYSQL_DATA_TRUNCATED:
                rows.append(DatabaseRow(values: try unsafe buffer.row(of: handle), columns: buffer.names))
            case MYSQL_NO_DATA:
                return DatabaseResult(columns: buffer.names, rows: rows, affectedRows: 0, insertID: 0)
            default: throw failure("reading rows")
            }
        }
    }

    func failure(_ what: String) -> DatabaseError {
        DatabaseError(
            number: Int(unsafe mysql_stmt_errno(handle)),
            sqlState: unsafe String(cString: mysql_stmt_sqlstate(handle)),
            detail: unsafe String(cString: mysql_stmt_error(handle)), during: what)
    }
}
