// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
public import Keyring
public import MariaDB

/// A piece of a backup.
///
/// ```
/// backup = "signet backup 1" LF frames
/// frames = head *( table *row ) end code
/// frame  = kind length body      ; length of the body, 4 octets, big endian
/// kind   = %x01 / %x02 / %x03 / %x04 / %x05
/// head   = schema time cluster-key
/// table  = text *text            ; its name, then its columns'
/// row    = *value                ; one for each column
/// end    = number                ; of all rows
/// code   = 32OCTET               ; over the SHA-256 of all before this frame, under the cluster key of the head
/// value  = null / int / number / double / text / bytes / time
/// null   = %x00
/// int    = %x01 8OCTET           ; signed
/// number = %x02 8OCTET
/// double = %x03 8OCTET           ; IEEE 754
/// text   = %x04 4OCTET *OCTET    ; UTF-8
/// bytes  = %x05 4OCTET *OCTET
/// time   = %x06 8OCTET           ; signed microseconds since 1970
/// ```
public enum BackupFrame: Hashable, Sendable {
    case head(BackupHead)
    case table(String, columns: [String])
    case row([DatabaseValue])
    case end(rows: UInt64)
    case code([UInt8])

    public static let magic = Array("signet backup 1\n".utf8)
    /// More than the largest row that the schema knows.
    static let largest = 64 << 20
    static let mostValues = 256

    public var encoded: [UInt8] {
        var body = ByteWriter()
        let kind: UInt8
        switch self {
        case .head(let head):
            kind = 1
            body.write(.uint(UInt64(clamping: head.schema)))
            body.write(head.created.field)
            body.write(head.clusterKey.field)
        case .table(let name, let columns):
            kind = 2
            for text in [name] + columns { body.write(.text(text)) }
        case .row(let values):
            kind = 3
            for value in values { body.write(value) }
        case .end(let rows):
            kind = 4
            body.write(.uint(rows))
        case .code(let code):
            kind = 5
            body.write(.bytes(code))
        }
        var frame = ByteWriter(reserving: body.bytes.count + 5)
        frame.write(kind)
        frame.write(UInt32(truncatingIfNeeded: body.bytes.count))
        frame.write(body.bytes)
        return frame.bytes
    }

    init(kind: UInt8, body: [UInt8]) throws {
        var values: [DatabaseValue] = []
        var reader = ValueReader(body)
        while !reader.isAtEnd {
            guard values.count < Self.mostValues else { throw Self.malformed("too many values") }
            values.append(try reader.read())
        }
        switch (kind, values.count) {
        case (1, 3):
            guard case .uint(let schema) = values[0], case .time(let time) = values[1],
                case .bytes(let id) = values[2], let clusterKey = try? ClusterKeyID(id.span),
                let schema = Int(exactly: schema)
            else { throw Self.malformed("its head") }
            self = .head(BackupHead(schema: schema, created: Moment(time), clusterKey: clusterKey))
        case (2, 2...):
            let names = values.compactMap { if case .text(let name) = $0 { name } else { nil } }
            guard names.count == values.count, names.allSatisfy(Self.isName) else {
                throw Self.malformed("the names of a table")
            }
            self = .table(names[0], columns: Array(names[1...]))
        case (3, _): self = .row(values)
        case (4, 1):
            guard case .uint(let rows) = values[0] else { throw Self.malformed("its end") }
            self = .end(rows: rows)
        case (5, 1):
            guard case .bytes(let code) = values[0], code.count == 32 else {
                throw Self.malformed("its code")
            }
            self = .code(code)
        default: throw Self.malformed("a frame of the kind \(kind) with \(values.count) values")
        }
    }

    /// It becomes part of statements.
    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { 0x61...0x7a ~= $0 || $0 == 0x5f || 0x30...0x39 ~= $0 }
    }

    static func malformed(_ what: String) -> StorageError {
        StorageError(.backupBroken, "this is no whole backup: \(what)")
    }
}

/// What a backup begins with.
public struct BackupHead: Hashable, Sendable {
    /// The version of the schema that it is of.
    public let schema: Int
    public let created: Moment
    /// Under which it is authenticated: one of the control plane.
    public let clusterKey: ClusterKeyID

    public init(schema: Int, created: Moment, clusterKey: ClusterKeyID) {
        (self.schema, self.created, self.clusterKey) = (schema, created, clusterKey)
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ value: DatabaseValue) {
        switch value {
        case .null: write(0 as UInt8)
        case .int(let number): write(1, UInt64(bitPattern: number))
        case .uint(let number): write(2, number)
        case .double(let number): write(3, number.bitPattern)
        case .text(let text): write(4, Array(text.utf8))
        case .bytes(let bytes): write(5, bytes)
        case .time(let time): write(6, UInt64(bitPattern: time.microseconds))
        }
    }

    private mutating func write(_ kind: UInt8, _ number: UInt64) {
        write(kind)
        write(number)
    }

    private mutating func write(_ kind: UInt8, _ bytes: [UInt8]) {
        write(kind)
        write(UInt32(truncatingIfNeeded: bytes.count))
        write(bytes)
    }
}

/// What is left of a frame's body.
private struct ValueReader {
    private var rest: ArraySlice<UInt8>

    init(_ body: [UInt8]) { rest = body[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func read() throws -> DatabaseValue {
        switch try take(1).first {
        case 0: return .null
        case 1: return .int(Int64(bitPattern: try number(8)))
        case 2: return .uint(try number(8))
        case 3: return .double(Double(bitPattern: try number(8)))
        case 4:
            let bytes = Array(try take(Int(try number(4))))
            guard let text = String(validatingUTF8: bytes.span) else {
                throw BackupFrame.malformed("text that is not UTF-8")
            }
            return .text(text)
        case 5: return .bytes(Array(try take(Int(try number(4)))))
        case 6: return .time(Timestamp(microseconds: Int64(bitPattern: try number(8))))
        default: throw BackupFrame.malformed("a value of an unknown kind")
        }
    }

    private mutating func number(_ count: Int) throws -> UInt64 {
        try take(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw BackupFrame.malformed("a value that is cut off") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
