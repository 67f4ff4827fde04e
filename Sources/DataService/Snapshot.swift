// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// What may be done under one revision: grants, who is shut out, and the keys that were asked for since.
///
/// A key's row is read after the snapshot was made, so it is never older than the revision; a row that was read for an
/// older snapshot cannot come into a newer one.
final class Snapshot: Sendable {
    let access: AccessList
    private let rows: Lock<Rows>

    private struct Rows {
        var byID: [KeyID: StoredKey] = [:]
        var byName: [KeyName: KeyID] = [:]
        /// By what clients wrote, so that a name is looked at once and not with each job.
        var byText: [String: KeyID] = [:]
        /// Names that nobody has; so that asking for them again costs no query.
        var unknown: Set<String> = []
    }

    private static let mostUnknown = 1000

    init(_ access: AccessList) {
        self.access = access
        rows = Lock(Rows())
    }

    var revision: Revision { access.revision }

    /// How a client names a key: by its name or its id. Nil for what is neither.
    enum Selector: Hashable, Sendable {
        case id(KeyID)
        case name(KeyName)

        init?(_ text: String) {
            if let id = KeyID(text) {
                self = .id(id)
            } else if let name = try? KeyName(text) {
                self = .name(name)
            } else {
                return nil
            }
        }

        func fits(_ record: KeyRecord) -> Bool {
            switch self {
            case .id(let id): record.id == id
            case .name(let name): record.name == name
            }
        }

        var text: String {
            switch self {
            case .id(let id): id.description
            case .name(let name): name.text
            }
        }
    }

    /// What is known of the key already; `.some(nil)` when it is known not to be there.
    func known(_ selector: Selector) -> StoredKey?? {
        rows.withLock { rows in
            switch selector {
            case .id(let id): if let row = rows.byID[id] { return row }
            case .name(let name): if let id = rows.byName[name], let row = rows.byID[id] { return row }
            }
            return rows.unknown.contains(selector.text) ? .some(nil) : nil
        }
    }

    /// The row of a key that was asked for in these words before.
    func known(as text: String) -> StoredKey? {
        rows.withLock { rows in rows.byText[text].flatMap { rows.byID[$0] } }
    }

    func remember(_ text: String, for id: KeyID) { rows.withLock { $0.byText[text] = id } }

    func add(_ row: StoredKey) {
        rows.withLock { rows in
            rows.byID[row.record.id] = row
            if !row.record.state.freesName { rows.byName[row.record.name] = row.record.id }
        }
    }

    func addUnknown(_ selector: Selector) {
        rows.withLock { rows in
            if rows.unknown.count >= Self.mostUnknown { rows.unknown = [] }
            rows.unknown.insert(selector.text)
        }
    }
}
