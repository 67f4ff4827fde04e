// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics
public import Signatures

/// A package as whoever verifies it sees it: all its digests compared with what is there, and all its signatures with
/// what they are over. The payload is read once, a piece at a time.
///
/// Where `RPMFormat` refuses what is not to be signed, this tells what is there; only what does not follow the format is
/// an error.
public struct PackageReading: Sendable {
    /// A size or digest that stands in the package.
    public struct Check: Hashable, Sendable {
        /// Such as `payload`.
        public let subject: String
        /// The hash function; `size` for a size.
        public let algorithm: String
        public let announced: String
        public let isGood: Bool
    }

    /// A signature and what it is over.
    public struct Signature: Sendable {
        public let packet: OpenPGPSignature
        /// Whether it is over header and payload, as before rpm 4; else over the header.
        public let coversPayload: Bool
        /// Where it stands: the number of the value in the signature header.
        public let tag: UInt32
        /// Has taken what it is over, with its own digest; none where that is weak or unknown.
        public let running: RunningDigest?
    }

    public let package: RPMPackage
    public let checks: [Check]
    public let signatures: [Signature]
    /// The digests by which the header covers the payload; none in packages from before rpm 4.14.
    public let payloadDigests: [Digest]
    /// Bytes of the main header, which is what is signed.
    public let headerSize: Int
    public let payloadSize: Int
    /// The bytes that signatures can still take; nil where the package reserves none.
    public let room: Int?
    /// Such as `gzip`.
    public let compressor: String?
    /// Whether there are signatures of single files, for IMA or fs-verity.
    public let hasFileSignatures: Bool

    @available(*, noasync, message: "it reads a file")
    public init(of path: String) throws(ArtifactError) {
        let file = try SourceFile(path)
        do throws(ArtifactError) {
            try self.init(file)
            try file.checkUnchanged(since: file.snapshot)
        } catch {
            throw error.of(path)
        }
    }

    private init(_ file: borrowing SourceFile) throws(ArtifactError) {
        let layout = try RPMFile(file)
        guard layout.payloadStart <= layout.size else {
            throw ArtifactError(.artifactMalformed, "an RPM package without a payload")
        }
        let packets = try layout.packets()
        var passage = Passage(layout, packets.filter(\.coversPayload).map(\.packet))
        try file.forEachChunk(of: layout.payloadStart..<layout.size) { passage.take($0) }
        package = layout.main.package
        payloadDigests = layout.main.payloadDigests
        checks = layout.sizeChecks() + layout.headerChecks() + passage.checks()
        signatures = packets.map { found in
            var running: RunningDigest?
            if let digest = found.packet.digestAlgorithm, !digest.isWeak {
                if found.coversPayload {
                    running = passage.whole[digest]
                } else {
                    running = RunningDigest(digest)
                    running?.update(layout.main.bytes.span)
                }
            }
            return Signature(
                packet: found.packet, coversPayload: found.coversPayload, tag: found.tag.rawValue,
                running: running)
        }
        headerSize = layout.main.bytes.count
        payloadSize = layout.size - layout.payloadStart
        room = layout.signature.entry(.reservedSpace)?.count
        compressor = layout.main.text(.payloadCompressor)
        hasFileSignatures = layout.signature.entries.contains { (274...277).contains($0.tag.rawValue) }
    }

    /// Why nothing of the package is to be relied on; nil when all digests are right.
    public var damage: ArtifactError? {
        if let bad = checks.first(where: { !$0.isGood }) {
            return ArtifactError(
                .artifactCorrupt,
                "RPM package: the \(bad.subject)'s \(bad.algorithm)\(bad.algorithm == "size" ? "" : " digest") is wrong"
            )
        }
        guard checks.contains(where: { $0.subject.hasPrefix("header") && $0.algorithm != "size" }) else {
            return ArtifactError(.artifactCorrupt, "RPM package: it has no digest of its header")
        }
        return nil
    }
}

/// The digests that one reading of the payload makes.
private struct Passage {
    private let layout: RPMFile
    private var payload: [RunningDigest]
    private var md5: RunningDigest?
    /// Over header and payload, for old signatures.
    private(set) var whole: [DigestAlgorithm: RunningDigest] = [:]

    init(_ layout: RPMFile, _ old: [OpenPGPSignature]) {
        self.layout = layout
        payload = Set(layout.main.payloadDigests.map(\.algorithm)).map { RunningDigest($0) }
        if layout.signature.binary(.packageMD5) != nil {
            var running = RunningDigest(.weakMD5)
            running.update(layout.main.bytes.span)
            md5 = running
        }
        for digest in Set(old.compactMap(\.digestAlgorithm)) where !digest.isWeak {
            var running = RunningDigest(digest)
            running.update(layout.main.bytes.span)
            whole[digest] = running
        }
    }

    mutating func take(_ chunk: Span<UInt8>) {
        for index in payload.indices { payload[index].update(chunk) }
        md5?.update(chunk)
        for digest in whole.keys { whole[digest]?.update(chunk) }
    }

    func checks() -> [PackageReading.Check] {
        let made = payload.map { $0.finish() }
        // Several are of the payload in one form and another; rpm compares the first.
        var checks = layout.main.payloadDigests.prefix(1).map { digest in
            PackageReading.Check(
                subject: "payload", algorithm: digest.algorithm.rawValue, announced: digest.description,
                isGood: made.contains(digest))
        }
        if let announced = layout.signature.binary(.packageMD5), let md5 {
            checks.append(
                PackageReading.Check(
                    subject: "header and payload", algorithm: "md5", announced: Hex.encode(Array(announced)),
                    isGood: md5.finish().bytes == Array(announced)))
        }
        return checks
    }
}

extension RPMFile {
    /// All signatures, in the order of their tags.
    fileprivate func packets() throws(ArtifactError) -> [(
        packet: OpenPGPSignature, coversPayload: Bool, tag: RPMTag
    )] {
        var found: [(packet: OpenPGPSignature, coversPayload: Bool, tag: RPMTag)] = []
        for tag in Self.packetTags {
            guard let bytes = signature.binary(tag) else { continue }
            let coversPayload = tag != .headerSignatureDSA && tag != .headerSignatureRSA
            found.append((try OpenPGPSignature(reading: Array(bytes)), coversPayload, tag))
        }
        for text in signature.texts(.headerSignatures) {
            guard let bytes = try? Base64.standard.decode(text) else {
                throw RPMHeader.malformed("a signature is not in Base64")
            }
            found.append((try OpenPGPSignature(reading: bytes), false, .headerSignatures))
        }
        return found
    }

    fileprivate func sizeChecks() -> [PackageReading.Check] {
        let sizes = [
            ("header and payload", signature.number(.longSize) ?? signature.number(.size), size - mainStart)
        ]
        return sizes.compactMap { subject, announced, real in
            announced.map {
                PackageReading.Check(
                    subject: subject, algorithm: "size", announced: "\($0)", isGood: $0 == UInt64(real))
            }
        }
    }

    fileprivate func headerChecks() -> [PackageReading.Check] {
        [(RPMTag.headerSHA1, DigestAlgorithm.weakSHA1), (.headerSHA256, .sha256)].compactMap {
            tag, algorithm in
            signature.text(tag).map { announced in
                let made = Digest(hashing: main.bytes.span, with: algorithm).description
                return PackageReading.Check(
                    subject: "header", algorithm: algorithm.rawValue, announced: announced,
                    isGood: made == announced)
            }
        }
    }
}
