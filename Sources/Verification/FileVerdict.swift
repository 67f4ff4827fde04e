// SPDX-License-Identifier: Apache-2.0

public import Artifacts
internal import Cryptography
internal import Diagnostics
public import Signatures

/// What became of the signatures of one file.
public struct FileVerdict: Hashable, Sendable {
    /// What the signatures amount to.
    public enum Outcome: String, CaseIterable, Sendable {
        /// A given key signed it, and nothing speaks against it.
        case good
        /// Nobody signed it.
        case unsigned
        /// Those who signed it are none of those who were given.
        case unknown
        /// A signature does not hold.
        case refused
    }

    public let path: String
    public let kind: SigningKind
    /// What a package says it is. It can be relied on when the outcome is good.
    public let package: RPMPackage?
    /// One for each signature, in the file's order.
    public let signatures: [SignatureVerdict]

    public var outcome: Outcome {
        guard !signatures.isEmpty else { return .unsigned }
        let known = signatures.filter { $0.refusal != .signerUnknown }
        guard !known.isEmpty else { return .unknown }
        return known.allSatisfy(\.isValid) ? .good : .refused
    }

    init(path: String, kind: SigningKind, package: RPMPackage?, signatures: [SignatureVerdict]) {
        self.path = path
        self.kind = kind
        self.package = package
        self.signatures = signatures
    }
}

extension FileVerdict {
    /// Judges a file. Without a kind it is recognised. `time` is now, in seconds since 1970. `detached` is what another
    /// file holds, armored or not, when the signature is not where it belongs.
    ///
    /// It reads the file, and a large one once for each hash function that its signatures use.
    @available(*, noasync, message: "it reads a file")
    public init(
        of path: String, as kind: SigningKind? = nil, by keys: TrustedKeys, at time: Int64,
        detached: [UInt8]? = nil
    ) throws {
        let artifact = try Artifact(reading: path, as: kind)
        let given = detached.map { ReadOnce($0) }
        let signatures =
            switch artifact.kind.scheme {
            case .openpgp: try Self.openPGP(artifact, try given?.openPGP(), keys, time)
            case .module: try Self.module(artifact, given?.bytes, keys)
            case .authenticode, .cms, .timestamp, .ca:
                throw VerificationError(
                    .unsupported, "\(path): files of kind \(artifact.kind.rawValue) are not verified yet")
            }
        let package = artifact.kind == .rpm ? try artifact.claim.facts().package : nil
        self.init(path: path, kind: artifact.kind, package: package, signatures: signatures)
    }

    private struct ReadOnce {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
        func openPGP() throws -> [OpenPGPSignature] { try OpenPGPSignature.all(in: bytes.span) }
    }

    // MARK: OpenPGP

    @available(*, noasync)
    private static func openPGP(
        _ artifact: Artifact, _ given: [OpenPGPSignature]?, _ keys: TrustedKeys, _ time: Int64
    ) throws -> [SignatureVerdict] {
        let found = try given ?? artifact.signatures.map { try OpenPGPSignature($0.span) }
        var large = LargeFile(artifact)
        return try found.map { signature in
            switch artifact.claim.content {
            case .bytes(let content):
                return try verdict(signature, keys) { certificate in
                    try certificate.verdict(on: signature, content: content.span, at: time)
                }
            case .midstate:
                let running = try large.running(for: signature)
                return try verdict(signature, keys) { certificate in
                    try certificate.verdict(on: signature, after: running, at: time)
                }
            }
        }
    }

    /// The certificates that the signature names are asked, and the first that it holds for decides.
    private static func verdict(
        _ signature: OpenPGPSignature, _ keys: TrustedKeys,
        _ judge: (OpenPGPCertificate) throws -> SignatureVerdict
    ) throws -> SignatureVerdict {
        var last = signature.verdictWithoutSigner
        for certificate in keys.openPGP {
            let verdict = try judge(certificate)
            if verdict.isValid { return verdict }
            if verdict.refusal != .signerUnknown { last = verdict }
        }
        return last
    }

    // MARK: Kernel modules

    /// The kernel looks at the last signature, over all that is before it, so this one decides.
    @available(*, noasync)
    private static func module(
        _ artifact: Artifact, _ given: [UInt8]?, _ keys: TrustedKeys
    ) throws -> [SignatureVerdict] {
        if let given {
            guard case .bytes(let content) = artifact.claim.content else { return [] }
            return [
                try ModuleSignature(given.span).verdict(content: content.span, signers: keys.certificates)
            ]
        }
        guard let (content, last) = try Artifact.outermostSignature(ofModule: artifact.path) else {
            return []
        }
        return [try ModuleSignature(last.span).verdict(content: content.span, signers: keys.certificates)]
    }
}

/// A file that is hashed where it is, as its signatures ask for: once for each hash function, and once more for each
/// where a signature is over text.
private struct LargeFile {
    private let artifact: Artifact
    private var midstates: [DigestAlgorithm: Midstate] = [:]
    private var texts: [DigestAlgorithm: RunningDigest?] = [:]

    init(_ artifact: Artifact) {
        self.artifact = artifact
        if case .midstate(let midstate) = artifact.claim.content { midstates[midstate.algorithm] = midstate }
    }

    /// `nil` for a signature over text when the file is none.
    @available(*, noasync)
    mutating func running(for signature: OpenPGPSignature) throws -> RunningDigest? {
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

extension VerificationError {
    /// Why a file is not to be used; `nil` when its signatures are good.
    public init?(_ verdict: FileVerdict) {
        switch verdict.outcome {
        case .good: return nil
        case .unsigned: self.init(.signatureMissing, "\(verdict.path): it has no signature")
        case .unknown:
            let signers = Set(verdict.signatures.map(\.signer)).sorted().joined(separator: ", ")
            self.init(.signerUnknown, "\(verdict.path): it is signed by \(signers), of whom no key was given")
        case .refused:
            let reasons = verdict.signatures.filter { $0.refusal != nil && $0.refusal != .signerUnknown }
                .map { "\($0.refusal?.rawValue ?? "") (\($0.signer))" }.joined(separator: ", ")
            self.init(.signatureRefused, "\(verdict.path): \(reasons)")
        }
    }
}
