// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Signatures

/// RPM packages and source packages: the claim is the main header, the signature goes into the signature header.
struct RPMFormat: ArtifactFormat {
    let kind = SigningKind.rpm
    let suffixes = [".rpm"]

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool {
        start.starts(with: RPMFile.leadMagic)
    }

    /// The two headers; what is wrong with them is said when they are read.
    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        (try? RPMFile.announcedCount(of: file)) ?? 0
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let package = try RPMFile(file)
        try package.checkDigests(file)
        return .bytes(package.main.bytes)
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        try RPMFile(file).headerSignatures
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let package = try RPMFile(file)
        return .rewritten(package.pieces(with: try package.signed(by: signature, replacing: replacing)))
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        let package = try RPMFile(file)
        guard let header = try package.stripped() else { return nil }
        return .rewritten(package.pieces(with: header))
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        guard case .bytes(let bytes) = content else {
            throw ArtifactError(
                .artifactMalformed, "a package is claimed by its main header, not by a midstate")
        }
        let header = try RPMHeader(bytes, .main)
        _ = try header.signablePayload()
        return ClaimFacts(header)
    }
}
