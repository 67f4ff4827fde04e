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

    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws {
        let artifact = try Artifact(reading: path, as: kind)
        let signatures = detached.map { [$0] } ?? artifact.signatures
        let known = signatures.map { try? AuthenticodeSignature($0.span) }
        let named = Set(known.compactMap { $0?.imageDigest.algorithm }).subtracting([.sha256])
        let reading = try ImageReading(
            of: path, digests: [.sha256] + named.sorted { $0.rawValue < $1.rawValue })
        for section in reading.sections {
            inspection.add("section", "\(section.name), \(section.size) bytes")
        }
        let generations = try artifact.claim.facts().generations?.components
        for component in generations ?? [] {
            inspection.add("sbat", "\(component.name) \(component.generation)")
        }
        inspection.add("checksum", reading.isChecksumRight.map { $0 ? "right" : "wrong" } ?? "none")
        for digest in reading.digests { inspection.add(digest, of: "image as firmware hashes it") }
        if let first = reading.digests.first {
            inspection.claim = "attributes with the digest of the image, \(first.algorithm.rawValue) \(first)"
        }
        for signature in known.compactMap({ $0 }) {
            let announced = signature.imageDigest
            inspection.compare(
                announced, in: "image, in a signature",
                with: reading.digests.first { $0.algorithm == announced.algorithm })
            for certificate in signature.certificates {
                inspection.add("certificate", "\(certificate.subject)")
            }
        }
        inspection.judge(
            SeenImage(
                reading: reading, hasGenerations: generations != nil,
                signatures: signatures.map { try? CMSOutline($0.span) }), by: Taker<SeenImage>.all)
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
