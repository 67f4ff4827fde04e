// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// EFI images: Authenticode signatures in the certificate table, by signers that are trusted themselves or have a
/// certificate of a trusted authority.
struct ImageKind: VerifiedKind {
    let kind = SigningKind.efi

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let file = ClaimedDigests(try Artifact(reading: path, as: kind))
        let signatures = detached.map { [$0] } ?? file.artifact.signatures
        return SignedFile(
            signatures: try signatures.map { bytes in
                let signature = try AuthenticodeSignature(bytes.span)
                return { keys, time in
                    let digest = try file.digest(signature.imageDigest.algorithm)
                    return try signature.verdict(on: digest, by: keys.ofX509, at: time)
                }
            })
    }

    func inspect(_ path: String, into inspection: inout Inspection) throws {
        let artifact = try Artifact(reading: path, as: kind)
        inspection.describe(artifact)
        for component in try artifact.claim.facts().generations?.components ?? [] {
            inspection.add("sbat", "\(component.name) \(component.generation)")
        }
        for bytes in artifact.signatures {
            guard let signature = try? AuthenticodeSignature(bytes.span) else { continue }
            for certificate in signature.certificates {
                inspection.add("certificate", "\(certificate.subject)")
            }
        }
    }
}

/// A file that is claimed by a digest, and is read again for each function but the first.
final class ClaimedDigests {
    let artifact: Artifact
    private var known: [DigestAlgorithm: Digest] = [:]

    init(_ artifact: Artifact) {
        self.artifact = artifact
        take(artifact)
    }

    func digest(_ algorithm: DigestAlgorithm) throws -> Digest {
        if known[algorithm] == nil {
            take(try Artifact(reading: artifact.path, as: artifact.kind, digest: algorithm))
        }
        guard let digest = known[algorithm] else {
            throw VerificationError(.unsupported, "\(artifact.path): it is not claimed by a digest")
        }
        return digest
    }

    private func take(_ artifact: Artifact) {
        switch artifact.claim.content {
        case .image(let image): known[image.digest.algorithm] = image.digest
        case .digest(let digest): known[digest.algorithm] = digest
        case .bytes, .midstate: break
        }
    }
}
