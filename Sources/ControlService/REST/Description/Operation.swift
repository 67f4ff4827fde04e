// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Keyring

/// What a route is for: who may use it, what it takes and what it answers.
struct Operation: Sendable {
    enum Need: Sendable {
        /// Nothing; who has a token may see more.
        case nothing
        /// Any token.
        case token
        /// A role with this ability, or one of these.
        case ability([Ability])

        static func ability(_ ability: Ability) -> Need { .ability([ability]) }
    }

    enum Answer: Sendable {
        case json(Schema, Status = .ok)
        case text
        case empty(Status = .ok)
    }

    /// A parameter of the query. What is not named so is refused.
    struct Parameter: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
        let note: String?

        init(_ name: String, _ schema: Schema, required isRequired: Bool = false, _ note: String? = nil) {
            (self.name, self.schema, self.isRequired, self.note) = (name, schema, isRequired, note)
        }
    }

    let summary: String
    let need: Need
    var query: [Parameter] = []
    var body: Schema?
    /// In bytes.
    var largestBody = 64 << 10
    /// Whether `If-Match` and `If-None-Match` are looked at.
    var isConditional = false
    /// Whether its bodies hold secrets.
    var isSecret = false
    let answer: Answer
    /// With another status, such as that somebody else has to approve it first.
    var otherwise: Answer?

    /// - Parameter summary: a sentence without its end.
    init(
        _ summary: String, _ need: Need, query: [Parameter] = [], body: Schema? = nil,
        largestBody: Int = 64 << 10, conditional isConditional: Bool = false, answer: Answer,
        otherwise: Answer? = nil
    ) {
        (self.summary, self.need, self.query, self.body) = (summary, need, query, body)
        (self.largestBody, self.isConditional, self.answer) = (largestBody, isConditional, answer)
        self.otherwise = otherwise
    }
}

extension Page {
    static let parameters = [
        Operation.Parameter("page_size", .integer(1...1000), "100 without it"),
        Operation.Parameter("page_number", .integer(1...1_000_000), "from 1, which it is without it"),
    ]
}
