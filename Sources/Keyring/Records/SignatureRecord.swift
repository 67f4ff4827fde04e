// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics
internal import Signatures

/// One signature that was made, in its place in its server's chain.
///
/// ```
/// form = "signet signature record 1" server sequence previous job authority sort value certificate
///        key version kind grant revision scheme fingerprint time claim content blind facts signature
/// ```
/// in the layout of `CanonicalWriter`. `content` is present with its algorithm in front.
public struct SignatureRecord: Hashable, Sendable {
    public let server: ServerName
    /// Counted from 1 for each server.
    public let sequence: UInt64
    /// The digest of the server's record before, zeros for the first.
    public let previous: Digest
    public let draft: RecordDraft
    /// The canonical bytes.
    public let encoded: [UInt8]
    /// Of the canonical bytes, as a leaf.
    public let digest: Digest

    /// The draft as the next link of the server's chain. The head comes out of the database, where somebody may have put
    /// the highest number: no trap, but a link that the store refuses.
    public init(_ draft: RecordDraft, by server: ServerName, after head: ChainHead) {
        self.init(draft, server, head.sequence &+ 1, head.digest)
    }

    /// The chain's head after this record.
    public var head: ChainHead { ChainHead(sequence: sequence, digest: digest) }

    private init(_ draft: RecordDraft, _ server: ServerName, _ sequence: UInt64, _ previous: Digest) {
        self.draft = draft
        self.server = server
        self.sequence = sequence
        self.previous = previous
        encoded = Self.encode(draft, server, sequence, previous)
        digest = ChainHead.digest(of: encoded)
    }

    private static let domain = "signet signature record 1"

    private static func encode(
        _ draft: RecordDraft, _ server: ServerName, _ sequence: UInt64, _ previous: Digest
    ) -> [UInt8] {
        let ruling = draft.ruling
        let identity = ruling.client.identity
        var writer = CanonicalWriter(domain, reserving: 768 + draft.signature.count)
        writer.write(server.text)
        writer.write(sequence)
        writer.write(previous)
        writer.write(draft.job.bytes)
        writer.write(identity.authority)
        writer.write(identity.sort.rawValue)
        writer.write(identity.value)
        writer.write(ruling.client.certificate)
        writer.write(ruling.key.bytes)
        writer.write(ruling.keyVersion)
        writer.write(ruling.kind.rawValue)
        writer.write(ruling.grant.bytes)
        writer.write(ruling.revision.number)
        writer.write(draft.scheme.rawValue)
        writer.write(draft.fingerprint)
        writer.write(draft.time)
        writer.write(draft.claim)
        writer.write(ifPresent: draft.content.map { Array($0.algorithm.rawValue.utf8) + [0] + $0.bytes })
        writer.write([draft.isBlind ? 1 : 0])
        writer.write(draft.facts)
        writer.write(draft.signature)
        return writer.bytes
    }

    public static let largest = 1 << 18

    /// Reads canonical bytes; any other form of the same record is refused.
    public init(decoding bytes: [UInt8]) throws {
        do {
            try self.init(reading: bytes)
        } catch let error as BytesError {
            throw KeyringError(.recordMalformed, "signature record: \(error)")
        }
        guard encoded == bytes else {
            throw KeyringError(.recordMalformed, "signature record: not the canonical form")
        }
    }

    private init(reading bytes: [UInt8]) throws {
        guard bytes.count <= Self.largest else { throw BytesError(.overLimit, at: 0) }
        var reader = try CanonicalReader(bytes, Self.domain)
        let server = try ServerName(reader.text(limit: 64))
        let sequence = try reader.number()
        let previous = try reader.sha256()
        let job = try reader.id(JobID.self)
        let client = Client(
            identity: try ClientIdentity(
                authority: reader.field(exactly: 32), sort: reader.choice(),
                value: reader.text(limit: ClientIdentity.longestValue)),
            certificate: try reader.field(exactly: 32))
        let ruling = Ruling(
            client: client, key: try reader.id(), keyVersion: try reader.number32(),
            kind: try reader.choice(),
            grant: try reader.id(), revision: Revision(try reader.number()))
        let draft = try RecordDraft(
            job: job, ruling: ruling, scheme: reader.choice(), fingerprint: reader.field(limit: 64),
            time: reader.moment(), claim: reader.sha256(), content: reader.digestIfPresent(),
            isBlind: reader.field(exactly: 1) == [1], facts: reader.facts(),
            signature: reader.field(limit: RecordDraft.largestSignature))
        try reader.expectEnd()
        self.init(draft, server, sequence, previous)
    }
}

/// What a data-server is called: unique among those of one database.
///
///     name = 1*64( %x61-7A / DIGIT / "-" / "." )
public struct ServerName: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) throws(KeyringError) {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({
                0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            })
        else {
            throw KeyringError(
                .invalidArgument, "server: a name has 1 to 64 small letters, digits, \"-\" and \".\"")
        }
        self.text = text
    }

    public var description: String { text }
}

extension CanonicalReader {
    mutating func sha256() throws -> Digest {
        let bytes = try field(exactly: 32)
        return try Digest(bytes.span, of: .sha256)
    }

    mutating func digestIfPresent() throws -> Digest? {
        guard let field = try fieldIfPresent(limit: 80) else { return nil }
        guard let end = field.firstIndex(of: 0),
            let algorithm = DigestAlgorithm(rawValue: String(decoding: field[..<end], as: UTF8.self))
        else { throw BytesError(.badCharacter, at: 0) }
        let bytes = Array(field[(end + 1)...])
        return try Digest(bytes.span, of: algorithm)
    }

    mutating func facts() throws -> [Fact] {
        let count = try number32()
        guard count <= Fact.most else { throw BytesError(.overLimit, at: 0) }
        var facts: [Fact] = []
        for _ in 0..<count {
            facts.append(
                try Fact(text(limit: Fact.longestName), text(limit: Fact.longestValue)))
        }
        return facts
    }
}
