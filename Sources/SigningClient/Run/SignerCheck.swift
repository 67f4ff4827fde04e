// SPDX-License-Identifier: Apache-2.0

internal import ASN1
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
        case image([Certificate])
        case content([Certificate])
    }

    let kinds: Set<SigningKind>
    /// What large files are hashed with here: as strong as the key asks for.
    let digest: DigestAlgorithm
    private let name: String
    private let known: Public
    /// The certificates that signatures bring along, the key's own first; of CMS alone.
    private let chain: [Certificate]

    init(_ key: KeyDescription) throws {
        name = key.name
        kinds = Set(key.kinds.compactMap { SigningKind(rawValue: $0) })
        guard !key.certificate.isEmpty else {
            throw SigningClientError(
                .wrongState, "key \(key.name) has no certificate yet, so nobody could check it")
        }
        let scheme = SigningScheme(rawValue: key.scheme)
        let isEnough = KeyAlgorithm(rawValue: key.algorithm).map { scheme?.takes(.sha256, with: $0) == true }
        digest = isEnough == false ? .sha512 : .sha256
        chain = scheme == .cms ? try Certificate.chain(der: key.certificate.span) : []
        switch scheme {
        case .openpgp: known = .openPGP(try OpenPGPCertificate.all(in: key.certificate.span))
        case .module: known = .module([try Certificate(der: key.certificate.span)])
        // The first is the key's own.
        case .authenticode: known = .image([try Certificate.chain(der: key.certificate.span)[0]])
        case .cms: known = .content([chain[0]])
        default:
            throw SigningClientError(
                .unsupported, "key \(key.name) signs by \(key.scheme), which is not known here")
        }
    }

    /// Whether signatures of the key can bring these lists along: they are of the authorities of its certificates, and in
    /// force.
    func check(_ lists: [CertificateRevocationList], at time: Int64) throws(SigningClientError) {
        for list in lists {
            guard !chain.isEmpty else {
                throw SigningClientError(
                    .invalidArgument, "key \(name): its signatures take no revocation list, those in CMS do")
            }
            guard chain.contains(where: { $0.issuer == list.issuer && Self.isOfOneKey($0, list) }) else {
                throw SigningClientError(
                    .invalidArgument,
                    "key \(name): \(list.issuer), whose revocation list it is, issued none of its certificates"
                )
            }
            guard list.thisUpdate.secondsSince1970 <= time,
                list.nextUpdate.map({ time < $0.secondsSince1970 }) ?? true
            else {
                throw SigningClientError(
                    .invalidArgument,
                    "key \(name): the revocation list of \(list.issuer) is not in force; take the present one"
                )
            }
        }
    }

    /// Authorities of one name are told apart by their keys' identifiers.
    private static func isOfOneKey(_ certificate: Certificate, _ list: CertificateRevocationList) -> Bool {
        guard let one = certificate.authorityKeyIdentifier?.keyIdentifier,
            let other = list.authorityKeyIdentifier?.keyIdentifier
        else { return true }
        return one == other
    }

    /// Why a signature of the claim does not hold; nil when it does.
    func refusal(of signature: [UInt8], on claim: Claim, at time: Int64) -> SignatureVerdict.Refusal? {
        guard let verdict = try? verdict(on: signature, claim, time) else { return .unsupported }
        return verdict.refusal
    }

    private func verdict(on bytes: [UInt8], _ claim: Claim, _ time: Int64) throws -> SignatureVerdict? {
        switch known {
        case .openPGP(let certificates):
            let signature = try OpenPGPSignature(bytes.span)
            var verdict = signature.verdictWithoutSigner
            for certificate in certificates where verdict.refusal == .signerUnknown {
                if claim.kind == .cleartext, case .bytes(let text) = claim.content {
                    verdict = try certificate.verdict(on: signature, cleartext: text.span, at: time)
                } else {
                    let digest = signature.digestAlgorithm ?? .sha256
                    guard let running = running(claim, digest) else { return nil }
                    verdict = try certificate.verdict(on: signature, after: running, at: time)
                }
            }
            return verdict
        case .module(let certificates):
            let signature = try ModuleSignature(bytes.span)
            guard let running = running(claim, signature.digest) else { return nil }
            return try signature.verdict(after: running, signers: certificates)
        case .image(let certificates):
            guard case .image(let image) = claim.content else { return nil }
            return try AuthenticodeSignature(bytes.span)
                .verdict(on: image.digest, by: SignerTrust(signers: certificates), at: time)
        case .content(let certificates):
            guard case .digest(let digest) = claim.content else { return nil }
            return try CMSSignature(bytes.span).verdict(
                on: digest, by: SignerTrust(signers: certificates), at: time)
        }
    }

    private func running(_ claim: Claim, _ digest: DigestAlgorithm) -> RunningDigest? {
        switch claim.content {
        case .bytes(let bytes):
            var running = RunningDigest(digest)
            running.update(bytes.span)
            return running
        case .midstate(let midstate): return RunningDigest(resuming: midstate)
        case .image, .digest: return nil
        }
    }
}
