// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Glibc
internal import Signatures

/// Any other file: an armored OpenPGP signature in a file beside it.
struct GenericFormat: ArtifactFormat {
    let kind = SigningKind.generic
    let suffixes: [String] = []
    static let suffix = ".asc"
    /// Bytes of a file of signatures; others make no larger ones.
    private static let largest = 128 << 10

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool { false }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let start = try file.read(0..<min(file.size, 64))
        guard !start.starts(with: Array("-----BEGIN PGP SIGNATURE-----".utf8)) else {
            throw ArtifactError(.artifactUnrecognised, "it is a signature itself")
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
        try present(beside: file) ?? []
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let issuer = try OpenPGPSignature(reading: signature).issuerKeyID
        if !replacing, let present = try present(beside: file) {
            let issuers = present.map { (try? OpenPGPSignature(reading: $0))?.issuerKeyID }
            guard issuers == [issuer] else {
                throw ArtifactError(
                    .artifactSigned, "\(file.path + Self.suffix) holds another key's signature")
            }
        }
        return .beside(suffix: Self.suffix, Array(OpenPGPArmor.signature.encode(signature).utf8))
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        try present(beside: file) == nil ? nil : .removed(suffix: Self.suffix)
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
            guard midstate.count >= UInt64(midstate.algorithm.blockCount) else {
                throw ArtifactError(.artifactMalformed, "a midstate of less than a block; send the content")
            }
            var facts = ClaimFacts(size: midstate.count)
            facts.isBlind = true
            return facts
        }
    }

    /// The signatures beside a file: none of them when there is something else there, nil when there is nothing.
    private func present(beside file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]]? {
        guard unsafe access(file.place + Self.suffix, F_OK) == 0 else { return nil }
        let beside = try SourceFile(file.place + Self.suffix)
        guard beside.size <= Self.largest else { return [] }
        let content = try beside.read(0..<beside.size)
        return ((try? OpenPGPSignature.all(in: content.span)) ?? []).map(\.encoded)
    }
}
