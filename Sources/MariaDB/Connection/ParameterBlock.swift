// SPDX-License-Identifier: Apache-2.0

internal import CMariaDB

/// The parameters of one execution as libmariadb wants them: a table of binds that point into one block of memory.
@safe struct ParameterBlock: ~Copyable {
    private let table: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let memory: UnsafeMutableRawBufferPointer

    init(_ values: [DatabaseValue]) throws(DatabaseError) {
        for case .time(let time) in values where CivilTime(time) == nil {
            throw DatabaseError(.badValue, "a time lies outside the years 1 to 9999")
        }
        let size = values.reduce(0) { $0 + Self.room(for: $1) }
        unsafe table = .allocate(capacity: values.count)
        unsafe table.initialize(repeating: MYSQL_BIND())
        unsafe memory = .allocate(byteCount: max(size, 1), alignment: 16)
        var used = 0
        for (place, value) in values.enumerated() {
            bind(value, at: place, offset: used)
            used += Self.room(for: value)
        }
    }

    deinit {
        unsafe table.deallocate()
        unsafe memory.deallocate()
    }

    var count: Int { unsafe table.count }
    /// The library copies the table; what it points to must live until the statement is executed.
    var binds: UnsafeMutablePointer<MYSQL_BIND>? { unsafe table.baseAddress }

    private static func room(for value: DatabaseValue) -> Int {
        let size =
            switch value {
            case .null: 0
            case .int, .uint, .double: 8
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            case .time: MemoryLayout<MYSQL_TIME>.size
            }
        return (size + 15) & ~15
    }

    private func bind(_ value: DatabaseValue, at place: Int, offset: Int) {
        guard let room = unsafe memory.baseAddress?.advanced(by: offset) else { return }
        unsafe table[place].buffer = room
        switch value {
        case .null:
            unsafe table[place].buffer_type = MYSQL_TYPE_NULL
        case .int(let number):
            unsafe table[place].buffer_type = MYSQL_TYPE_LONGLONG
            unsafe room.storeBytes(of: number, as: Int64.self)
        case .uint(let number):
            unsafe table[place].buffer_type = MYSQL_TYPE_LONGLONG
            unsafe table[place].is_unsigned = 1
            unsafe room.storeBytes(of: number, as: UInt64.self)
        case .double(let number):
            unsafe table[place].buffer_type = MYSQL_TYPE_DOUBLE
            unsafe room.storeBytes(of: number, as: Double.self)
        case .text(var text):
            unsafe table[place].buffer_type = MYSQL_TYPE_STRING
            let count = text.withUTF8 { utf8 in
                if let start = utf8.baseAddress { unsafe room.copyMemory(from: start, byteCount: utf8.count) }
                return utf8.count
            }
            unsafe table[place].buffer_length = UInt(count)
        case .bytes(let bytes):
            unsafe table[place].buffer_type = MYSQL_TYPE_BLOB
            unsafe table[place].buffer_length = UInt(bytes.count)
            unsafe bytes.withUnsafeBytes { source in
                if let start = source.baseAddress {
                    unsafe room.copyMemory(from: start, byteCount: source.count)
                }
            }
        case .time(let time):
            unsafe table[place].buffer_type = MYSQL_TYPE_DATETIME
            unsafe room.storeBytes(of: MYSQL_TIME(time), as: MYSQL_TIME.self)
        }
    }
}

extension MYSQL_TIME {
    fileprivate init(_ time: Timestamp) {
        self.init()
        guard let civil = CivilTime(time) else { return }
        year = UInt32(civil.year)
        month = UInt32(civil.month)
        day = UInt32(civil.day)
        hour = UInt32(civil.hour)
        minute = UInt32(civil.minute)
        second = UInt32(civil.second)
        second_part = UInt(civil.microsecond)
        time_type = MYSQL_TIMESTAMP_DATETIME
    }

    /// `nil` for a zero date.
    var timestamp: Timestamp? {
        CivilTime(
            year: Int(year), month: Int(month), day: Int(day), hour: Int(hour), minute: Int(minute),
            second: Int(second), microsecond: Int(second_part)
        ).timestamp
    }
}
