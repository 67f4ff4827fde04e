// SPDX-License-Identifier: Apache-2.0

public import Bytes
public import Cryptography
public import Protobuf

/// A job, or the next part of the claim of one.
///
/// ```
/// message SignRequest {
///   bytes job = 1; string key = 2; string kind = 3;
///   oneof claim { bytes content = 4; bytes midstate = 5; ImageClaim image = 9; bytes content_digest = 10; }
///   bool more = 6; string digest = 7; uint32 timeout_ms = 8;
/// }
/// ```
public struct SignRequest: ProtobufMessage, Hashable, Sendable {
    /// What the signature is to vouch for.
    public enum Claim: Hashable, Sendable {
        case content([UInt8])
        /// The encoding of a `Midstate`, as it came.
        case midstate([UInt8])
        /// Authenticode's digest of an EFI image, and its `.sbat` section where it has one.
        case image(digest: [UInt8], sbat: [UInt8]?)
        /// Of a file that is signed in CMS.
        case digest([UInt8])
    }

    public var job: UniqueID
    /// Name, or id in text form.
    public var key: String
    public var kind: String
    public var claim: Claim?
    /// The content goes on in a further message of the stream with the same job.
    public var more: Bool
    /// Empty for the key's own choice.
    public var digest: String
    /// In milliseconds, from when the server reads it; 0 for the server's own limit.
    public var timeout: UInt32

    public init(
        job: UniqueID, key: String, kind: String, _ claim: Claim?, more: Bool = false, digest: String = "",
        timeout: UInt32 = 0
    ) {
        self.job = job
        self.key = key
        self.kind = kind
        self.claim = claim
        self.more = more
        self.digest = digest
        self.timeout = timeout
    }

    /// A further part of a job's content.
    public init(part content: [UInt8], of job: UniqueID, more: Bool) {
        self.init(job: job, key: "", kind: "", .content(content), more: more)
    }

    /// Whether it can be a further part: it says nothing that belongs into the first message.
    public var isPart: Bool {
        guard key.isEmpty, kind.isEmpty, digest.isEmpty, timeout == 0 else { return false }
        if case .content = claim { return true }
        return false
    }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        var job: UniqueID?
        (key, kind, claim, more, digest, timeout) = ("", "", nil, false, "", 0)
        while let field = try reader.next() {
            switch field.number {
            case 1: job = try reader.uniqueID(field)
            case 2: key = try reader.string(field, limit: SigningLimits.name)
            case 3: kind = try reader.string(field, limit: SigningLimits.kind)
            case 4: claim = .content(try reader.bytes(field, limit: SigningLimits.part))
            case 5: claim = .midstate(try reader.bytes(field, limit: SigningLimits.midstate))
            case 6: more = try reader.bool(field)
            case 7: digest = try reader.string(field, limit: SigningLimits.digest)
            case 8: timeout = try reader.uint32(field)
            case 9:
                let image = try reader.message(field, ImagePart.self)
                claim = .image(digest: image.digest, sbat: image.sbat)
            case 10: claim = .digest(try reader.bytes(field, limit: SigningLimits.contentDigest))
            default: try reader.skip(field)
            }
        }
        guard let job else { throw ProtobufError(.badValue, at: 0) }
        self.job = job
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, job.bytes)
        writer.string(2, key)
        writer.string(3, kind)
        switch claim {
        case .content(let bytes): writer.bytes(4, bytes, always: true)
        case .midstate(let bytes): writer.bytes(5, bytes, always: true)
        case .image, .digest, nil: break
        }
        writer.bool(6, more)
        writer.string(7, digest)
        writer.uint32(8, timeout)
        switch claim {
        case .image(let digest, let sbat): writer.message(9, ImagePart(digest: digest, sbat: sbat))
        case .digest(let bytes): writer.bytes(10, bytes, always: true)
        case .content, .midstate, nil: break
        }
    }
}

/// `message ImageClaim { bytes digest = 1; optional bytes sbat = 2; }`
private struct ImagePart: ProtobufMessage {
    var digest: [UInt8] = []
    var sbat: [UInt8]?

    init(digest: [UInt8], sbat: [UInt8]?) {
        self.digest = digest
        self.sbat = sbat
    }

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.next() {
            switch field.number {
            case 1: digest = try reader.bytes(field, limit: SigningLimits.contentDigest)
            case 2: sbat = try reader.bytes(field, limit: SigningLimits.sbat)
            default: try reader.skip(field)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, digest)
        if let sbat { writer.bytes(2, sbat, always: true) }
    }
}

extension FormatReader where Format == Protobuf {
    /// An id of 16 bytes.
    mutating func uniqueID(_ field: ProtobufField) throws(ProtobufError) -> UniqueID {
        let bytes = try bytes(field, limit: UniqueID.count)
        guard let id = try? UniqueID(bytes.span) else { throw ProtobufError(.badValue, at: field.offset) }
        return id
    }
}
