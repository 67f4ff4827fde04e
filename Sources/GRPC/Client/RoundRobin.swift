// SPDX-License-Identifier: Apache-2.0

/// Who gets the next call: the servers in turn, from a start drawn by chance, without those that are not ready or whose
/// window is full. It keeps no clock and no connection.
struct RoundRobin {
    struct Entry: Equatable {
        var id: Int
        var isReady = false
        var underWay = 0
        /// How many calls the server takes at once.
        var window: Int
    }

    private(set) var entries: [Entry] = []
    private var next = 0

    /// The servers that there are; those known already keep their state. `start` says where the first turn begins.
    mutating func update(_ ids: [Int], window: Int, start: Int) {
        let known = entries
        let turn = known.indices.contains(next) ? known[next].id : nil
        entries = ids.map { id in known.first { $0.id == id } ?? Entry(id: id, window: window) }
        if known.isEmpty {
            next = entries.isEmpty ? 0 : start % entries.count
        } else {
            next = entries.firstIndex { $0.id == turn } ?? 0
        }
    }

    mutating func setReady(_ id: Int, _ isReady: Bool) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        entries[index].isReady = isReady
    }

    mutating func setWindow(_ id: Int, _ window: Int) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        entries[index].window = window
    }

    /// The server for the next call, which counts as under way there; nil when none is free.
    mutating func pick() -> Int? {
        for step in entries.indices {
            let index = (next + step) % entries.count
            guard entries[index].isReady, entries[index].underWay < entries[index].window else { continue }
            entries[index].underWay += 1
            next = (index + 1) % entries.count
            return entries[index].id
        }
        return nil
    }

    mutating func finished(_ id: Int) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        entries[index].underWay = max(0, entries[index].underWay - 1)
    }

    var hasReady: Bool { entries.contains { $0.isReady } }
}
