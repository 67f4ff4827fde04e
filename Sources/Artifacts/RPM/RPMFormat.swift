// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Signatures

/// RPM packages and source packages: the signature goes into the signature header.
///
/// The claim is the main header, which names the digest of the payload. A package from before rpm 4.14 does not name one,
/// so its signature is over header and payload, which are claimed by a midstate and as a kind of their own: the server
/// does not see what it signs then. Others are claimed so when that kind is asked for.
struct RPMFormat: ArtifactFormat {
    /// Whether header and payload are signed, and not the header alone.
    var isLegacy = false

    var kind: SigningKind { isLegacy ? .rpmLegacy : .rpm }
    var suffixes: [String] { isLegacy ? [] : [".rpm"] }

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool {
        !isLegacy && start.starts(with: RPMFront.leadMagic)
    }

    /// The two headers; what is wrong with them is said when they are read.
    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        (try? RPMFront.announcedCount(of: file)) ?? 0
    }

    func kind(of content: Claim.Content) -> SigningKind {
        if case .midstate = content { .rpmLegacy } else { .rpm }
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let package = try RPMFile(file)
        guard isLegacy || package.main.payloadDigests.isEmpty else {
            try package.checkDigests(file)
            return .bytes(package.main.bytes)
        }
        let running = try package.checkDigests(file, hashing: digest) ?? RunningDigest(digest)
        do throws(CryptographyError) {
            return .midstate(try running.midstate())
        } catch {
            throw ArtifactError(error.code, error.message)
        }
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        let front = try RPMFront(file)
        return isLegacy ? front.packageSignatures : front.headerSignatures
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let front = try RPMFront(file)
        return front.effect(of: try front.signed(by: signature, isLegacy: isLegacy, replacing: replacing))
    }

    /// The header that the package would get, in a file of its own; over one that was made before.
    func embed(
        elsewhere signature: [UInt8], _ suffix: String, of file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let front = try RPMFront(file)
        let header = try front.signed(by: signature, isLegacy: isLegacy, replacing: replacing)
        let present = try DetachedFile(of: file, suffix, limit: RPMHeader.sizeLimit)
        if let present {
            let isHeader = present.content.map { RPMHeader.begins($0.span) } ?? false
            guard isHeader else {
                throw ArtifactError(
                    .artifactSigned, "\(present.path) is there and is no signature header; move it away first"
                )
            }
        }
        return .beside(suffix: suffix, RPMFront.padded(header), over: present?.snapshot)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        let front = try RPMFront(file)
        return try front.stripped().map { front.effect(of: $0) }
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        switch content {
        case .bytes(let bytes):
            guard !isLegacy else {
                throw ArtifactError(
                    .artifactMalformed, "header and payload of a package are claimed by a midstate")
            }
            let header = try RPMHeader(bytes, .main)
            _ = try header.signablePayload()
            return ClaimFacts(header)
        case .midstate(let midstate):
            guard isLegacy else {
                throw ArtifactError(
                    .artifactMalformed, "a package is claimed by its main header, not by a midstate")
            }
            return try ClaimFacts(blind: midstate)
        case .image, .digest:
            throw ArtifactError(.artifactMalformed, "a package is not claimed by a digest")
        }
    }
}
