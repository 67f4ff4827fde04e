// SPDX-License-Identifier: Apache-2.0

public import Artifacts
internal import Diagnostics
public import Signatures

/// What became of the signatures of one file.
public struct FileVerdict: Hashable, Sendable {
    /// What the signatures amount to.
    public enum Outcome: String, CaseIterable, Sendable {
        /// As many as have to signed it, and nothing speaks against it.
        case good
        /// Nobody signed it.
        case unsigned
        /// Those who signed it are none of those who were given.
        case unknown
        /// Those who signed it are known, but not trusted for such a file.
        case untrusted
        /// Some signed it, but not as many as have to.
        case insufficient
        /// A signature does not hold.
        case refused
    }

    public let path: String
    public let kind: SigningKind
    /// What a package says it is. It can be relied on when the outcome is good.
    public let package: RPMPackage?
    /// The package as rpm writes its name, epoch, version, release and architecture.
    public var packageName: String? { package?.description }
    /// One for each signature, in the file's order.
    public let signatures: [SignatureVerdict]
    /// How many had to sign.
    public let required: Int

    public var outcome: Outcome {
        guard !signatures.isEmpty else { return .unsigned }
        let known = signatures.filter { $0.refusal != .signerUnknown }
        guard !known.isEmpty else { return .unknown }
        let trusted = known.filter { $0.refusal != .notTrusted }
        guard !trusted.isEmpty else { return .untrusted }
        // One that covers a part alone says nothing against the file.
        let whole = trusted.filter { $0.refusal != .partial }
        guard whole.allSatisfy(\.isValid) else { return .refused }
        return Set(whole.map(\.owner)).count >= required ? .good : .insufficient
    }
}

extension FileVerdict {
    /// Judges a file. Without a kind it is recognised. `time` is now, in seconds since 1970. `detached` is what another
    /// file holds, armored or not, when the signature is not where it belongs.
    ///
    /// It reads the file, and a large one once for each hash function that its signatures use.
    @available(*, noasync, message: "it reads a file")
    public init(
        of path: String, as kind: SigningKind? = nil, by policy: VerificationPolicy, at time: Int64,
        detached: [UInt8]? = nil
    ) throws {
        let (kind, file) = try VerifiedKinds.read(path, as: kind, detached: detached)
        let trusted = policy.keys(for: kind, file: path, package: file.package?.name)
        self.init(
            path: path, kind: kind, package: file.package,
            signatures: try file.signatures.map { judge in
                let verdict = try judge(trusted, time)
                guard verdict.refusal == .signerUnknown, policy.isNarrow else { return verdict }
                // Somebody whom the policy knows, for other files.
                let known = try judge(policy.allKeys, time)
                return known.isValid ? known.refused(.notTrusted) : known
            }, required: policy.required)
    }

    /// The same with keys that are trusted for all that they can sign.
    @available(*, noasync, message: "it reads a file")
    public init(
        of path: String, as kind: SigningKind? = nil, by keys: TrustedKeys, at time: Int64,
        detached: [UInt8]? = nil
    ) throws {
        try self.init(
            of: path, as: kind, by: VerificationPolicy(trusting: keys), at: time, detached: detached)
    }
}

extension VerificationError {
    /// Why a file is not to be used; `nil` when its signatures are good.
    public init?(_ verdict: FileVerdict) {
        func signers(_ refusal: SignatureVerdict.Refusal?) -> String {
            Set(verdict.signatures.filter { $0.refusal == refusal }.map(\.signer)).sorted()
                .joined(separator: ", ")
        }
        let path = verdict.path
        switch verdict.outcome {
        case .good: return nil
        case .unsigned: self.init(.signatureMissing, "\(path): it has no signature")
        case .unknown:
            self.init(
                .signerUnknown,
                "\(path): it is signed by \(signers(.signerUnknown)), of whom no key was given")
        case .untrusted:
            self.init(
                .signerNotTrusted, "\(path): \(signers(.notTrusted)) is not trusted to sign such a file")
        case .insufficient:
            let signed = signers(nil)
            self.init(
                .signaturesTooFew,
                signed.isEmpty
                    ? "\(path): it is signed in part, and its payload is not covered"
                    : "\(path): \(verdict.required) have to sign it, and only \(signed) did")
        case .refused:
            let reasons = verdict.signatures
                .filter { ![nil, .signerUnknown, .notTrusted].contains($0.refusal) }
                .map { "\($0.refusal?.rawValue ?? "") (\($0.signer))" }.joined(separator: ", ")
            self.init(.signatureRefused, "\(path): \(reasons)")
        }
    }
}
