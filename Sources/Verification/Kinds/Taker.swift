// SPDX-License-Identifier: Apache-2.0

/// A distribution or program that takes files of some kind, and what it does not take; `Seen` is what was found in one.
struct Taker<Seen>: Sendable {
    /// Something in a file, and what is said against it.
    struct Rule: Sendable {
        let objection: String
        let applies: @Sendable (Seen) -> Bool

        init(_ objection: String, _ applies: @escaping @Sendable (Seen) -> Bool) {
            self.objection = objection
            self.applies = applies
        }
    }

    let name: String
    private let rules: [Rule]

    init(_ name: String, _ rules: [Rule]) {
        self.name = name
        self.rules = rules
    }

    func objections(to seen: Seen) -> [String] { rules.filter { $0.applies(seen) }.map(\.objection) }
}

extension Inspection {
    mutating func judge<Seen>(_ seen: Seen, by takers: [Taker<Seen>]) {
        for taker in takers { add(target: taker.name, objections: taker.objections(to: seen)) }
    }
}
