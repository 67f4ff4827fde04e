// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// What OpenPGP signatures of a file are over. A large file is hashed where it is, as they ask for: once for each hash
/// function, and once more for each where a signature is over text.
final class SignedDocument {
    private let artifact: Artifact
    private var midstates: [DigestAlgorithm: Midstate] = [:]
    private var texts: [DigestAlgorithm: RunningDigest?] = [:]

    init(_ artifact: Artifact) {
        self.artifact = artifact
        if case .midstate(let midstate) = artifact.claim.content { midstates[midstate.algorithm] = midstate }
    }

    func judgements(_ signatures: [OpenPGPSignature]) -> [SignedFile.Judgement] {
        signatures.map { signature in { keys, time in try self.judge(signature, keys, time) } }
    }

    private func judge(
        _ signature: OpenPGPSignature, _ keys: TrustedKeys, _ time: Int64
    ) throws -> SignatureVerdict {
        try Self.judge(signature, keys) { certificate in
            switch artifact.claim.content {
            case .bytes(let content):
                try certificate.verdict(on: signature, content: content.span, at: time)
            case .midstate, .image, .digest:
                try certificate.verdict(on: signature, after: running(for: signature), at: time)
            }
        }
    }

    /// The certificates that the signature names are asked, and the first that it holds for decides.
    static func judge(
        _ signature: OpenPGPSignature, _ keys: TrustedKeys,
        _ verdict: (OpenPGPCertificate) throws -> SignatureVerdict
    ) throws -> SignatureVerdict {
        var last = signature.verdictWithoutSigner
        for certificate in keys.openPGP where signature.names(certificate) {
            let verdict = try verdict(certificate)
            if verdict.isValid { return verdict }
            if verdict.refusal != .signerUnknown { last = verdict }
        }
        return last
    }

    /// `nil` for a signature over text when the file is none.
    private func running(for signature: OpenPGPSignature) throws -> RunningDigest? {
        // What has no midstate is refused for its algorithm, whatever the content.
        guard let digest = signature.digestAlgorithm, [.sha256, .sha384, .sha512].contains(digest) else {
            return RunningDigest(.sha256)
        }
        if signature.isOverText {
            if let known = texts[digest] { return known }
            let running = try artifact.textDigest(digest)
            texts[digest] = .some(running)
            return running
        }
        if midstates[digest] == nil {
            let again = try Artifact(reading: artifact.path, as: artifact.kind, digest: digest)
            guard case .midstate(let midstate) = again.claim.content else {
                throw VerificationError(.signatureRefused, "\(artifact.path): it changed while it was read")
            }
            midstates[digest] = midstate
        }
        return midstates[digest].map { RunningDigest(resuming: $0) } ?? RunningDigest(digest)
    }
}
