// SPDX-License-Identifier: Apache-2.0

internal import CMariaDB

/// Where libmariadb puts the fields of a row, one slot a column.
///
/// Text and bytes longer than their slot are fetched a second time into an array of their real length, so nothing is
/// ever cut off.
@safe struct ResultBuffer: ~Copyable {
    private enum Sort {
        case signed
        case unsigned
        case double
        case time
        case text
        case bytes
    }

    let names: [String]
    private let sorts: [Sort]
    private let table: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let nulls: UnsafeMutableBufferPointer<my_bool>
    private let memory: UnsafeMutableRawBufferPointer

    /// Enough for hashes, names and most texts.
    private static let slot = 256

    init(_ metadata: UnsafeMutablePointer<MYSQL_RES>) {
        let count = Int(unsafe mysql_num_fields(metadata))
        let fields = unsafe UnsafeBufferPointer(start: mysql_fetch_fields(metadata), count: count)
        names = unsafe fields.map { field in
            let name = unsafe UnsafeRawBufferPointer(start: field.name, count: Int(field.name_length))
            return unsafe String(decoding: name, as: UTF8.self)
        }
        sorts = unsafe fields.map { unsafe Self.sort(of: $0) }
        unsafe table = .allocate(capacity: count)
        unsafe table.initialize(repeating: MYSQL_BIND())
        unsafe lengths = .allocate(capacity: count)
        unsafe lengths.initialize(repeating: 0)
        unsafe nulls = .allocate(capacity: count)
        unsafe nulls.initialize(repeating: 0)
        unsafe memory = .allocate(byteCount: max(1, count * Self.slot), alignment: 16)
        for place in 0..<count {
            unsafe table[place].buffer = memory.baseAddress?.advanced(by: place * Self.slot)
            unsafe table[place].buffer_length = UInt(Self.slot)
            unsafe table[place].length = lengths.baseAddress?.advanced(by: place)
            unsafe table[place].is_null = nulls.baseAddress?.advanced(by: place)
            unsafe table[place].buffer_type = Self.type(of: sorts[place])
            unsafe table[place].is_unsigned = sorts[place] == .unsigned ? 1 : 0
        }
    }

    deinit {
        unsafe table.deallocate()
        unsafe lengths.deallocate()
        unsafe nulls.deallocate()
        unsafe memory.deallocate()
    }

    /// The library copies the table; the slots live as long as this.
    var binds: UnsafeMutablePointer<MYSQL_BIND>? { unsafe table.baseAddress }

    /// The row that was fetched last.
    func row(of statement: UnsafeMutablePointer<MYSQL_STMT>) throws(DatabaseError) -> [DatabaseValue] {
        var values: [DatabaseValue] = []
        values.reserveCapacity(sorts.count)
        for place in sorts.indices { values.append(try unsafe value(at: place, of: statement)) }
        return values
    }

    private func value(at place: Int, of statement: UnsafeMutablePointer<MYSQL_STMT>) throws(DatabaseError)
        -> DatabaseValue
    {
        guard unsafe nulls[place] == 0, let room = unsafe table[place].buffer else { return .null }
        switch sorts[place] {
        case .signed: return .int(unsafe room.load(as: Int64.self))
        case .unsigned: return .uint(unsafe room.load(as: UInt64.self))
        case .double: return .double(unsafe room.load(as: Double.self))
        case .time:
            // A zero date is that row's fault, told to whoever reads the column, and not the whole result's.
            return .time(unsafe room.load(as: MYSQL_TIME.self).timestamp ?? .impossible)
        case .text: return .text(String(decoding: try unsafe bytes(at: place, of: statement), as: UTF8.self))
        case .bytes: return .bytes(try unsafe bytes(at: place, of: statement))
        }
    }

    private func bytes(at place: Int, of statement: UnsafeMutablePointer<MYSQL_STMT>) throws(DatabaseError)
        -> [UInt8]
    {
        let count = Int(unsafe lengths[place])
        if count <= Self.slot {
            return unsafe Array(UnsafeRawBufferPointer(start: table[place].buffer, count: count))
        }
        var again = unsafe table[place]
        var failed: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            unsafe again.buffer = UnsafeMutableRawPointer(buffer.baseAddress)
            unsafe again.buffer_length = UInt(count)
            unsafe failed = mysql_stmt_fetch_column(statement, &again, UInt32(place), 0)
            used = failed == 0 ? count : 0
        }
        guard failed == 0 else {
            throw DatabaseError(.badStatement, "column \(names[place]) could not be fetched in full")
        }
        return bytes
    }

    private static func sort(of field: MYSQL_FIELD) -> Sort {
        switch unsafe field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG,
            MYSQL_TYPE_YEAR:
            return unsafe field.flags & UInt32(shim_UNSIGNED_FLAG) != 0 ? .unsigned : .signed
        case MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE: return .double
        case MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP: return .time
        case MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_DATE, MYSQL_TYPE_TIME, MYSQL_TYPE_JSON:
            return .text
        case MYSQL_TYPE_BIT, MYSQL_TYPE_GEOMETRY: return .bytes
        default: return unsafe field.charsetnr == UInt32(shim_BINARY_CHARSET) ? .bytes : .text
        }
    }

    private static func type(of sort: Sort) -> enum_field_types {
        switch sort {
        case .signed, .unsigned: MYSQL_TYPE_LONGLONG
        case .double: MYSQL_TYPE_DOUBLE
        case .time: MYSQL_TYPE_DATETIME
        case .text: MYSQL_TYPE_STRING
        case .bytes: MYSQL_TYPE_BLOB
        }
    }
}
