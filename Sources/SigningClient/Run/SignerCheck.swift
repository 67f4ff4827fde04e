// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures
internal import SigningProtocol

/// The public part of a key, as its server told it: whether signatures are the key's.
struct SignerCheck: Sendable {
    private enum Public: Sendable {
        case openPGP([OpenPGPCertificate])
        case module([Certificate])
    }

    let kinds: Set<SigningKind>
    /// What large files are hashed with here: as strong as the key asks for.
    let digest: DigestAlgorithm
    private let name: String
    private let known: Public

    init(_ key: KeyDescription) throws {
        name = key.name
        kinds = Set(key.kinds.compactMap { SigningKind(rawValue: $0) }.filter(\.isServed))
        guard !key.certificate.isEmpty else {
            throw SigningClientError(
                .wrongState, "key \(key.name) has no certificate yet, so nobody could check it")
        }
        let scheme = SigningScheme(rawValue: key.scheme)
        let isEnough = KeyAlgorithm(rawValue: key.algorithm).map { scheme?.takes(.sha256, with: $0) == true }
        digest = isEnough == false ? .sha512 : .sha256
        switch scheme {
        case .openpgp: known = .openPGP(try OpenPGPCertificate.all(in: key.certificate.span))
        case .module: known = .module([try Certificate(der: key.certificate.span)])
        default:
            throw SigningClientError(
                .unsupported, "key \(key.name) signs by \(key.scheme), which is not known here")
        }
    }

    /// Why a signature of the claim does not hold; nil when it does.
    func refusal(of signature: [UInt8], on claim: Claim, at time: Int64) -> SignatureVerdict.Refusal? {
        (try? verdict(on: signature, claim, time)).map(\.refusal) ?? .unsupported
    }

    private func verdict(on bytes: [UInt8], _ claim: Claim, _ time: Int64) throws -> SignatureVerdict {
        switch known {
        case .openPGP(let certificates):
            let signature = try OpenPGPSignature(bytes.span)
            let running = running(claim, signature.digestAlgorithm ?? .sha256)
            var verdict = signature.verdictWithoutSigner
            for certificate in certificates where verdict.refusal == .signerUnknown {
                verdict = try certificate.verdict(on: signature, after: running, at: time)
            }
            return verdict
        case .module(let certificates):
            let signature = try ModuleSignature(bytes.span)
            return try signature.verdict(after: running(claim, signature.digest), signers: certificates)
        }
    }

    private func running(_ claim: Claim, _ digest: DigestAlgorithm) -> RunningDigest {
        switch claim.content {
        case .bytes(let bytes):
            var running = RunningDigest(digest)
            running.update(bytes.span)
            return running
        case .midstate(let midstate): return RunningDigest(resuming: midstate)
        }
    }
}
