// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography

/// Bytes that one value has and no other: what is chained, authenticated or bound as associated data.
///
/// ```
/// form   = domain *field
/// domain = length text           ; what the bytes are and the version of their layout
/// field  = length *OCTET
/// length = 4OCTET                ; big endian
/// ```
/// Integers are fields of 4 or 8 bytes. What is optional is a field of one byte 0, or one of a byte 1 and the value.
struct CanonicalWriter {
    private(set) var bytes: [UInt8] = []

    init(_ domain: String, reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
        write(domain)
    }

    mutating func write(_ field: [UInt8]) {
        writeCount(field.count)
        bytes += field
    }

    mutating func write(_ text: String) {
        let text = text.utf8
        writeCount(text.count)
        bytes += text
    }

    mutating func write(_ number: UInt64) {
        writeCount(8)
        append(number)
    }

    mutating func write(_ number: UInt32) {
        writeCount(4)
        append(number)
    }

    mutating func write(_ digest: Digest) {
        writeCount(digest.count)
        digest.withBytes { bytes.append(copying: $0) }
    }

    mutating func write(_ moment: Moment) { write(UInt64(bitPattern: moment.microseconds)) }

    mutating func write(ifPresent field: [UInt8]?) { write(field.map { [1] + $0 } ?? [0]) }

    mutating func write(ifPresent moment: Moment?) {
        guard let moment else { return write(ifPresent: nil as [UInt8]?) }
        writeCount(9)
        bytes.append(1)
        append(UInt64(bitPattern: moment.microseconds))
    }

    private mutating func writeCount(_ count: Int) {
        let short = UInt32(truncatingIfNeeded: count)
        precondition(Int(short) == count, "fields are bounded where they come in")
        append(short)
    }

    private mutating func append(_ number: UInt64) {
        append(UInt32(truncatingIfNeeded: number >> 32))
        append(UInt32(truncatingIfNeeded: number))
    }

    private mutating func append(_ number: UInt32) {
        bytes.append(UInt8(truncatingIfNeeded: number >> 24))
        bytes.append(UInt8(truncatingIfNeeded: number >> 16))
        bytes.append(UInt8(truncatingIfNeeded: number >> 8))
        bytes.append(UInt8(truncatingIfNeeded: number))
    }
}

/// Reads what `CanonicalWriter` writes. Each field has a limit, and nothing may follow the last.
struct CanonicalReader: ~Copyable {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8], _ domain: String) throws(BytesError) {
        self.bytes = bytes
        guard try text(limit: 64) == domain else { throw BytesError(.badCharacter, at: 0) }
    }

    mutating func field(limit: Int) throws(BytesError) -> [UInt8] {
        guard bytes.count - offset >= 4 else { throw BytesError(.truncated, at: offset) }
        let count = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        guard count <= limit else { throw BytesError(.overLimit, at: offset) }
        guard count <= bytes.count - offset - 4 else { throw BytesError(.truncated, at: offset) }
        let start = offset + 4
        offset = start + count
        return Array(bytes[start..<offset])
    }

    mutating func field(exactly count: Int) throws(BytesError) -> [UInt8] {
        let place = offset
        let field = try field(limit: count)
        guard field.count == count else { throw BytesError(.badLength, at: place) }
        return field
    }

    mutating func text(limit: Int) throws(BytesError) -> String {
        let place = offset
        let field = try field(limit: limit)
        guard let text = String(validatingUTF8: field.span) else {
            throw BytesError(.badCharacter, at: place)
        }
        return text
    }

    mutating func number() throws(BytesError) -> UInt64 {
        try field(exactly: 8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func number32() throws(BytesError) -> UInt32 {
        try field(exactly: 4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func moment() throws(BytesError) -> Moment {
        Moment(microseconds: Int64(bitPattern: try number()))
    }

    mutating func fieldIfPresent(limit: Int) throws(BytesError) -> [UInt8]? {
        let place = offset
        let field = try field(limit: limit + 1)
        switch field.first {
        case 0 where field.count == 1: return nil
        case 1: return Array(field.dropFirst())
        default: throw BytesError(.notCanonical, at: place)
        }
    }

    mutating func id<Row>(_ type: RowID<Row>.Type = RowID<Row>.self) throws(BytesError) -> RowID<Row> {
        let place = offset
        let field = try field(exactly: UniqueID.count)
        guard let id = try? RowID<Row>(field.span) else { throw BytesError(.badLength, at: place) }
        return id
    }

    mutating func choice<Choice: RawRepresentable>(_ type: Choice.Type = Choice.self) throws(BytesError)
        -> Choice
    where Choice.RawValue == String {
        let place = offset
        guard let choice = Choice(rawValue: try text(limit: 64)) else {
            throw BytesError(.badCharacter, at: place)
        }
        return choice
    }

    func expectEnd() throws(BytesError) {
        guard offset == bytes.count else { throw BytesError(.trailing, at: offset) }
    }
}
