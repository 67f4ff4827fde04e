// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Diagnostics
public import Signatures

/// What is in a file: what it says of itself, its digests, its signatures whoever made them, what a signature would be
/// over, and who would take it. Nothing of it is trusted, and nothing here is a judgement of the signatures.
public struct Inspection: Sendable {
    /// Something that the kind of file has beyond what all have.
    public struct Fact: Hashable, Sendable {
        public let name: String
        public let value: String
    }

    /// A digest that stands in the file or a signature of it, or is of the file.
    public struct FileDigest: Hashable, Sendable {
        public enum State: String, Sendable {
            case good
            case bad
            /// It stands nowhere; it is of what is there.
            case computed
        }

        /// Such as `payload`.
        public let subject: String
        public let algorithm: String
        /// As it stands there.
        public let value: String
        public let state: State
    }

    /// A distribution or program, and why it would refuse the file; no reason when it takes it.
    public struct Target: Hashable, Sendable {
        public let name: String
        public let objections: [String]
        public var accepts: Bool { objections.isEmpty }
    }

    public let path: String
    public let kind: SigningKind
    /// A package's name, version, release and architecture, a module's name.
    public internal(set) var name: String?
    public internal(set) var version: String?
    public private(set) var facts: [Fact] = []
    public private(set) var digests: [FileDigest] = []
    /// In the file's order; each without a judgement, so that its refusal says nothing.
    public var signatures: [SignatureVerdict] { found ?? [] }
    /// Nil until the kind has looked for them.
    var found: [SignatureVerdict]?
    /// What a signature made here would be over.
    public internal(set) var claim: String?
    public private(set) var targets: [Target] = []
    /// What is wrong with the file.
    public private(set) var problems: [String] = []

    init(path: String, kind: SigningKind) {
        self.path = path
        self.kind = kind
    }
}

extension Inspection {
    /// Looks into a file. Without a kind it is recognised. `detached` is what a file of its signatures holds. What can be
    /// told of a damaged file is told, beside what is wrong with it.
    @available(*, noasync, message: "it reads a file")
    public init(of path: String, as kind: SigningKind? = nil, detached: [UInt8]? = nil) throws {
        let kind = try kind ?? VerifiedKinds.kind(of: path, detached: detached)
        self.init(path: path, kind: kind)
        let row = try VerifiedKinds.row(kind, for: path)
        try row.inspect(path, detached: detached, into: &self)
        let whole = try Artifact.digest(of: path, .sha256)
        add(whole, of: "file")
        guard found == nil else { return }
        do {
            let nobody = TrustedKeys()
            found = try row.read(path, detached: detached).signatures.map { try $0(nobody, 0) }
        } catch let error as any CodedError {
            add(problem: error.message)
        }
    }

    // MARK: For the kinds

    mutating func add(_ name: String, _ value: String) { facts.append(Fact(name: name, value: value)) }

    mutating func add(
        digest value: String, _ algorithm: String, of subject: String, _ state: FileDigest.State
    ) {
        digests.append(FileDigest(subject: subject, algorithm: algorithm, value: value, state: state))
    }

    mutating func add(target: String, objections: [String]) {
        targets.append(Target(name: target, objections: objections))
    }

    mutating func add(problem: String) {
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// A digest that a signature names, compared with what is there.
    mutating func compare(_ announced: Digest, in signature: String, with made: Digest?) {
        add(
            digest: announced.description, announced.algorithm.rawValue, of: signature,
            made == announced ? .good : .bad)
    }

    mutating func add(_ digest: Digest, of subject: String) {
        add(digest: digest.description, digest.algorithm.rawValue, of: subject, .computed)
    }
}
