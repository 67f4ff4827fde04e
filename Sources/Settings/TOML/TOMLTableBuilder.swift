// SPDX-License-Identifier: Apache-2.0

/// A table while its file is being read: who made it decides who may still add to it.
final class TOMLTableBuilder {
    enum Maker {
        /// Named by `[header]`, `[[header]]`, or the root: nobody names it again.
        case header
        /// Came into being on the way to a longer header; one `[header]` may still claim it.
        case way
        /// By a dotted key: no header claims it, headers may pass through it.
        case dottedKey
    }

    enum Slot {
        /// A plain value, an array in brackets or an inline table: complete, nothing is ever added.
        case value(TOMLValue)
        case table(TOMLTableBuilder)
        /// `[[header]]`, at least one.
        case tables(TOMLTableList)
    }

    struct Entry {
        var key: TOMLKey
        var slot: Slot
    }

    var maker: Maker
    let offset: Int
    private(set) var entries: [Entry] = []
    private var index: [[UInt8]: Int] = [:]

    init(_ maker: Maker, offset: Int) {
        self.maker = maker
        self.offset = offset
    }

    subscript(key: TOMLKey) -> Slot? { index[key.bytes].map { entries[$0].slot } }

    /// Sets a key that is not there yet, or replaces what it stands for.
    func set(_ key: TOMLKey, _ slot: Slot) {
        if let place = index[key.bytes] {
            entries[place].slot = slot
        } else {
            index[key.bytes] = entries.count
            entries.append(Entry(key: key, slot: slot))
        }
    }

    /// The finished table. The depth of what is built is bounded by the parser.
    func table() -> TOMLTable {
        TOMLTable(
            entries.map {
                TOMLTable.Entry(key: $0.key.text, keyOffset: $0.key.offset, value: Self.value(of: $0.slot))
            }, index: index)
    }

    private static func value(of slot: Slot) -> TOMLValue {
        switch slot {
        case .value(let value):
            return value
        case .table(let builder):
            return TOMLValue(content: .table(builder.table()), offset: builder.offset)
        case .tables(let list):
            let tables = list.tables.map { TOMLValue(content: .table($0.table()), offset: $0.offset) }
            return TOMLValue(content: .array(tables), offset: list.tables.first?.offset ?? 0)
        }
    }
}

/// The tables of one `[[header]]`.
final class TOMLTableList {
    private(set) var tables: [TOMLTableBuilder]

    init(_ first: TOMLTableBuilder) { tables = [first] }

    func append(_ table: TOMLTableBuilder) { tables.append(table) }
}

/// One part of a key and where it stands.
struct TOMLKey {
    let bytes: [UInt8]
    let offset: Int

    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// For messages: on one line, not longer than a line.
    var shown: String { shownName(text) }
}
