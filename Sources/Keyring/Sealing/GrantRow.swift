// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Signatures

extension Grant {
    ///     "signet grant row 1" id authority sort pattern keys kinds created expires description
    ///     "signet grant row 2" ... networks     ; the same, of a grant for some networks alone
    var row: [UInt8] {
        var writer = CanonicalWriter(networks.isEmpty ? Self.domain : Self.networksDomain)
        writer.write(id.bytes)
        writer.write(clients.form.authority)
        writer.write(clients.form.sort.rawValue)
        writer.write(clients.form.value)
        writer.write(keys.sorted().flatMap(\.bytes))
        writer.write(kinds.map(\.rawValue).sorted().joined(separator: " "))
        writer.write(created)
        writer.write(ifPresent: expires)
        writer.write(summary)
        if !networks.isEmpty { writer.write(networksText) }
        return writer.bytes
    }

    static let domain = "signet grant row 1"
    private static let networksDomain = "signet grant row 2"

    /// Sorted, with spaces between them.
    public var networksText: String { Self.text(networks) }

    private static func text(_ networks: Set<Network>) -> String {
        networks.sorted().map(\.description).joined(separator: " ")
    }

    public static func networks(_ text: String) throws(KeyringError) -> Set<Network> {
        var networks: Set<Network> = []
        for word in text.split(separator: " ") { networks.insert(try Network(String(word))) }
        guard self.text(networks) == text else {
            throw KeyringError(.invalidArgument, "networks: not in the one form that they are kept in")
        }
        return networks
    }

    /// Reads what `row` writes.
    init(decoding bytes: [UInt8]) throws {
        let isNarrow = (try? CanonicalReader(bytes, Self.networksDomain)) != nil
        var reader = try CanonicalReader(bytes, isNarrow ? Self.networksDomain : Self.domain)
        let id = try reader.id(GrantID.self)
        let clients = try IdentityPattern(
            authority: reader.field(exactly: 32), sort: reader.choice(),
            value: reader.text(limit: ClientIdentity.longestValue))
        let keys = try reader.field(limit: Self.mostKeys * 16)
        guard keys.count % 16 == 0 else { throw BytesError(.badLength, at: 0) }
        let ids = try stride(from: 0, to: keys.count, by: 16).map { start in
            let bytes = Array(keys[start..<start + 16])
            return try KeyID(bytes.span)
        }
        let kinds = try reader.text(limit: 512).split(separator: " ").map { word in
            guard let kind = SigningKind(rawValue: String(word)) else {
                throw BytesError(.badCharacter, at: 0)
            }
            return kind
        }
        let (created, expires) = (try reader.moment(), try reader.momentIfPresent())
        let summary = try reader.text(limit: 4 * KeyRecord.longestSummary)
        try self.init(
            id: id, clients: clients, keys: Set(ids), kinds: Set(kinds), created: created, expires: expires,
            summary: summary, networks: isNarrow ? Self.networks(reader.text(limit: 1 << 12)) : [])
        try reader.expectEnd()
        guard row == bytes else { throw BytesError(.notCanonical, at: 0) }
    }
}
