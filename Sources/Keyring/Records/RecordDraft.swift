// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Signatures

/// What a signing server knows of a signature that it made, before the signature has its place in a chain.
public struct RecordDraft: Hashable, Sendable {
    public let job: JobID
    /// Client, key, kind, grant, and the revision under which they were judged.
    public let ruling: Ruling
    public let scheme: SigningScheme
    public let fingerprint: [UInt8]
    public let time: Moment
    /// SHA-256 of the claim as the client sent it: the same job again has the same.
    public let claim: Digest
    /// Of the file, as far as the server could tell.
    public let content: Digest?
    /// Whether the client hid the content, so that nothing about it was checked.
    public let isBlind: Bool
    public let facts: [Fact]
    public let signature: [UInt8]

    public static let largestSignature = 1 << 16

    public init(
        job: JobID, ruling: Ruling, scheme: SigningScheme, fingerprint: [UInt8], time: Moment, claim: Digest,
        content: Digest?, isBlind: Bool, facts: [Fact] = [], signature: [UInt8]
    ) throws(KeyringError) {
        guard claim.algorithm == .sha256 else {
            throw KeyringError(.invalidArgument, "claim: it is recorded by its SHA-256")
        }
        guard (1...64).contains(fingerprint.count) else {
            throw KeyringError(.invalidArgument, "fingerprint: \(fingerprint.count) bytes")
        }
        guard (1...Self.largestSignature).contains(signature.count) else {
            throw KeyringError(
                .invalidArgument, "signature: \(signature.count) bytes, not 1 to \(Self.largestSignature)")
        }
        self.job = job
        self.ruling = ruling
        self.scheme = scheme
        self.fingerprint = fingerprint
        self.time = time
        self.claim = claim
        self.content = content
        self.isBlind = isBlind
        self.facts = try Fact.canonical(facts)
        self.signature = signature
    }

    /// Whether it answers the same question: the same key, kind and claim.
    public func asksTheSame(as other: RecordDraft) -> Bool {
        ruling.key == other.ruling.key && ruling.keyVersion == other.ruling.keyVersion
            && ruling.kind == other.ruling.kind && claim == other.claim
    }
}
