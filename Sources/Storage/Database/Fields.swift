// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import MariaDB

// From values to fields and back.

extension Moment {
    init(_ time: Timestamp) { self.init(microseconds: time.microseconds) }
    var field: DatabaseValue { .time(Timestamp(microseconds: microseconds)) }
}

extension RowID {
    var field: DatabaseValue { .bytes(bytes) }
}

extension DatabaseValue {
    static func time(ifPresent moment: Moment?) -> DatabaseValue { moment.map { $0.field } ?? .null }
    static func id<Row>(ifPresent id: RowID<Row>?) -> DatabaseValue { id.map { $0.field } ?? .null }
    static func text(_ choice: some RawRepresentable<String>) -> DatabaseValue { .text(choice.rawValue) }
}

extension DatabaseRow {
    func id<Row>(_ column: String, of type: Row.Type = Row.self) throws -> RowID<Row> {
        let bytes = try bytes(column)
        return try RowID<Row>(bytes.span)
    }

    func idIfPresent<Row>(_ column: String, of type: Row.Type = Row.self) throws -> RowID<Row>? {
        guard let bytes = try bytesIfPresent(column) else { return nil }
        return try RowID<Row>(bytes.span)
    }

    func moment(_ column: String) throws -> Moment { Moment(try time(column)) }
    func momentIfPresent(_ column: String) throws -> Moment? { try timeIfPresent(column).map { Moment($0) } }

    func choice<Choice: RawRepresentable<String>>(_ column: String, _ type: Choice.Type = Choice.self) throws
        -> Choice
    {
        guard let choice = Choice(rawValue: try text(column)) else {
            throw StorageError(.rowForged, "column \(column) holds a word that this program does not know")
        }
        return choice
    }

    func digest(_ column: String) throws -> Digest {
        let bytes = try bytes(column)
        return try Digest(bytes.span, of: .sha256)
    }
}

/// Reads a row; what its values break is a fault of the row and not of whoever asked for it.
func reading<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as KeyringError where error.code.category == .invalidInput {
        throw StorageError(.rowForged, "\(what) in the database: \(error.message)")
    } catch let error as DatabaseError where error.kind == .badRow {
        throw StorageError(.rowForged, "\(what) in the database: \(error.message)")
    } catch let error as CryptographyError {
        throw StorageError(.rowForged, "\(what) in the database: \(error.message)")
    }
}

/// Reads rows one by one: those that can be read, and why the others cannot.
func readingEach<Row, Value>(_ rows: [Row], _ body: (Row) throws -> Value) throws -> (
    values: [Value], faults: [any CodedError]
) {
    var (values, faults): ([Value], [any CodedError]) = ([], [])
    for row in rows {
        do {
            values.append(try body(row))
        } catch let error as any CodedError where error.code == .rowForged || error.code == .sealBroken {
            faults.append(error)
        }
    }
    return (values, faults)
}

/// As many placeholders as there are values: `?, ?, ?`.
func places(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
