// SPDX-License-Identifier: Apache-2.0

internal import Signatures

/// Whom a verifier trusts with which files, and how many of them have to sign.
///
/// A rule trusts its keys with the files that are of its kinds, called like its patterns, and, where it names packages,
/// packages called so. Whoever no rule trusts with a file counts neither for nor against it.
public struct VerificationPolicy: Sendable {
    /// Keys, and the files that they are trusted with.
    struct Rule: Sendable {
        var name: String
        var keys: TrustedKeys
        var kinds: Set<SigningKind>
        /// Of the last part of a file's path.
        var files: [NamePattern]
        /// Of an RPM package's own name; none for all files.
        var packages: [NamePattern]

        func covers(_ kind: SigningKind, file: String, package: String?) -> Bool {
            guard kinds.contains(kind), files.contains(where: { $0.matches(file) }) else { return false }
            guard !packages.isEmpty else { return true }
            return package.map { name in packages.contains { $0.matches(name) } } ?? false
        }
    }

    let rules: [Rule]
    /// How many distinct signers a file has to have.
    public let required: Int
    /// The keys of all rules.
    let allKeys: TrustedKeys
    /// Whether there are files that some of the keys are not trusted with.
    let isNarrow: Bool

    /// Trusts keys with all that they can sign.
    public init(trusting keys: TrustedKeys, required: Int = 1) {
        rules = []
        self.required = required
        allKeys = keys
        isNarrow = false
    }

    init(_ rules: [Rule], required: Int) {
        self.rules = rules
        self.required = required
        allKeys = rules.reduce(into: TrustedKeys()) { $0.add($1.keys) }
        isNarrow = true
    }

    /// The keys that are trusted with a file.
    func keys(for kind: SigningKind, file path: String, package: String?) -> TrustedKeys {
        guard isNarrow else { return allKeys }
        let file = String(path.split(separator: "/").last ?? "")
        return rules.filter { $0.covers(kind, file: file, package: package) }
            .reduce(into: TrustedKeys()) { $0.add($1.keys) }
    }
}
