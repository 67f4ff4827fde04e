// SPDX-License-Identifier: Apache-2.0

public import Cryptography
public import Protobuf

/// The answer to one job.
///
/// ```
/// message SignReply { bytes job = 1; oneof outcome { Signature signature = 2; Failure failure = 3; } }
/// ```
public struct SignReply: ProtobufMessage, Hashable, Sendable {
    public typealias Outcome = Result<MadeSignature, Failure>

    public var job: UniqueID
    public var outcome: Outcome

    public init(job: UniqueID, _ outcome: Outcome) {
        self.job = job
        self.outcome = outcome
    }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        var job: UniqueID?
        var signature: MadeSignature?
        var failure: Failure?
        while let field = try reader.next() {
            switch field.number {
            case 1: job = try reader.uniqueID(field)
            case 2:
                try reader.message(field, into: &signature)
                failure = nil
            case 3:
                try reader.message(field, into: &failure)
                signature = nil
            default: try reader.skip(field)
            }
        }
        guard let job else { throw ProtobufError(.badValue, at: 0) }
        self.job = job
        switch (signature, failure) {
        case (let signature?, nil): outcome = .success(signature)
        case (nil, let failure?): outcome = .failure(failure)
        default: throw ProtobufError(.badValue, at: 0)
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, job.bytes)
        switch outcome {
        case .success(let signature): writer.message(2, signature)
        case .failure(let failure): writer.message(3, failure)
        }
    }
}

extension Result where Success == MadeSignature, Failure == SigningProtocol.Failure {
    /// What `body` makes, or why it could not.
    public init(catching body: () async throws -> MadeSignature) async {
        do { self = .success(try await body()) } catch { self = .failure(SigningProtocol.Failure(error)) }
    }
}

/// A signature and what the record says of it.
///
/// ```
/// message Signature {
///   bytes signature = 1; bytes key_id = 2; uint32 key_version = 3; bytes fingerprint = 4; int64 created = 5;
///   string digest = 6; bytes content_digest = 7; string server = 8; uint64 sequence = 9; bool stored = 10;
/// }
/// ```
public struct MadeSignature: ProtobufMessage, Hashable, Sendable {
    public var signature: [UInt8]
    public var keyID: UniqueID
    public var keyVersion: UInt32
    /// Of an OpenPGP key its version 4 fingerprint, else SHA-256 of the public key (SPKI).
    public var fingerprint: [UInt8]
    /// By the server's clock, in seconds since 1970.
    public var created: Int64
    public var digest: String
    public var contentDigest: [UInt8]
    /// Whose record it is, and its place in the chain of that server.
    public var server: String
    public var sequence: UInt64
    /// The job had been signed before.
    public var isStored: Bool

    public init(
        signature: [UInt8], keyID: UniqueID, keyVersion: UInt32, fingerprint: [UInt8], created: Int64,
        digest: String, contentDigest: [UInt8], server: String, sequence: UInt64, isStored: Bool
    ) {
        self.signature = signature
        self.keyID = keyID
        self.keyVersion = keyVersion
        self.fingerprint = fingerprint
        self.created = created
        self.digest = digest
        self.contentDigest = contentDigest
        self.server = server
        self.sequence = sequence
        self.isStored = isStored
    }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        var keyID: UniqueID?
        (signature, keyVersion, fingerprint, created, digest) = ([], 0, [], 0, "")
        (contentDigest, server, sequence, isStored) = ([], "", 0, false)
        while let field = try reader.next() {
            switch field.number {
            case 1: signature = try reader.bytes(field, limit: SigningLimits.signature)
            case 2: keyID = try reader.uniqueID(field)
            case 3: keyVersion = try reader.uint32(field)
            case 4: fingerprint = try reader.bytes(field, limit: 32)
            case 5: created = try reader.int64(field)
            case 6: digest = try reader.string(field, limit: SigningLimits.digest)
            case 7: contentDigest = try reader.bytes(field, limit: 64)
            case 8: server = try reader.string(field, limit: SigningLimits.name)
            case 9: sequence = try reader.uint64(field)
            case 10: isStored = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
        guard let keyID else { throw ProtobufError(.badValue, at: 0) }
        self.keyID = keyID
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, signature)
        writer.bytes(2, keyID.bytes)
        writer.uint32(3, keyVersion)
        writer.bytes(4, fingerprint)
        writer.int64(5, created)
        writer.string(6, digest)
        writer.bytes(7, contentDigest)
        writer.string(8, server)
        writer.uint64(9, sequence)
        writer.bool(10, isStored)
    }
}
