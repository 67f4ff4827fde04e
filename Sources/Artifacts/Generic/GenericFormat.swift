// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Any other file: OpenPGP signatures in a file beside it, armored in `FILE.asc` or as packets in `FILE.sig`.
///
/// Each key signs once: its earlier signature gives way, and those of others stay beside it, as they are. gpgv and sqv take
/// several signatures as packets one behind the other, in one armor.
struct GenericFormat: ArtifactFormat {
    let kind = SigningKind.generic
    let suffixes: [String] = []
    var isArmored = true
    private var suffix: String { isArmored ? ".asc" : ".sig" }
    var detachedSuffix: String? { suffix }

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool { false }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let start = try file.read(0..<min(file.size, 64))
        guard !start.starts(with: Array("-----BEGIN PGP SIGNATURE-----".utf8)) else {
            throw ArtifactError(.artifactUnrecognised, "it is a signature itself")
        }
        if file.name.hasSuffix(".sig"), file.size <= DetachedFile.largest {
            let content = try file.read(0..<file.size)
            guard (try? OpenPGPSignature.all(in: content.span)) == nil else {
                throw ArtifactError(.artifactUnrecognised, "it is a signature itself")
            }
        }
        if file.size <= Claim.genericContentLimit { return .bytes(try file.read(0..<file.size)) }
        var running = RunningDigest(digest)
        try file.forEachChunk(of: 0..<file.size) { running.update($0) }
        do throws(CryptographyError) {
            return .midstate(try running.midstate())
        } catch {
            throw ArtifactError(error.code, error.message)
        }
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        (try? DetachedFile(of: file, suffix)?.packets.map(\.encoded)) ?? []
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let new = try OpenPGPSignature(reading: signature)
        let present = try DetachedFile(of: file, suffix)
        let others = try present?.packets.filter { $0.issuerKeyID != new.issuerKeyID } ?? []
        let packets = (others + [new]).flatMap(\.encoded)
        let content = isArmored ? Array(OpenPGPArmor.signature.encode(packets).utf8) : packets
        guard content.count <= DetachedFile.largest else {
            throw ArtifactError(
                .artifactSigned, "\(file.detachedPath(suffix)): it would be of \(content.count) bytes")
        }
        return .beside(suffix: suffix, content, over: present?.snapshot)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        guard let present = try DetachedFile(of: file, suffix) else { return nil }
        _ = try present.packets
        return .removed(suffix: suffix, present.snapshot)
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        switch content {
        case .bytes(let bytes):
            // What a header of a package is may be said under another kind, but is judged as what it is.
            if RPMHeader.begins(bytes.span) { return ClaimFacts(try RPMHeader(bytes, .main)) }
            guard bytes.count <= Claim.genericContentLimit else {
                throw ArtifactError(
                    .tooLarge,
                    "\(bytes.count) bytes of content; over \(Claim.genericContentLimit) a midstate is sent")
            }
            return ClaimFacts(size: UInt64(bytes.count))
        case .midstate(let midstate):
            return try ClaimFacts(blind: midstate)
        case .image, .digest:
            throw ArtifactError(.artifactMalformed, "a plain file is claimed by its content or a midstate")
        }
    }
}

extension DetachedFile {
    /// The OpenPGP signatures that lie there; what is no signature is not to be touched.
    fileprivate var packets: [OpenPGPSignature] {
        get throws(ArtifactError) {
            guard let content, let packets = try? OpenPGPSignature.all(in: content.span) else {
                throw ArtifactError(
                    .artifactSigned, "\(path) is there and is no OpenPGP signature; move it away first")
            }
            return packets
        }
    }
}
