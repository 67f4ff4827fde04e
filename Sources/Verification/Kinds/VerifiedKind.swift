// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Diagnostics
internal import Signatures

/// One kind of file as it is judged. A new kind is a type with these verbs and a row in `VerifiedKinds`.
protocol VerifiedKind: Sendable {
    var kind: SigningKind { get }

    /// Reads a file and finds its signatures: those of `detached`, where another file holds them, else those that are
    /// where the kind has them. What makes the file worthless whoever signed it, such as a wrong digest, is an error.
    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile

    /// Tells what is in a file, without a judgement; with the signatures of `detached`, where another file holds them.
    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws
}

/// All kinds that are verified.
enum VerifiedKinds {
    static let all: [any VerifiedKind] = [
        PackageKind(), ModuleKind(), ImageKind(), ContentKind(), TextKind(), DocumentKind(),
    ]

    static func row(_ kind: SigningKind, for path: String) throws -> any VerifiedKind {
        guard let row = all.first(where: { $0.kind == kind }) else {
            throw VerificationError(
                .unsupported, "\(path): files of kind \(kind.rawValue) are not verified yet")
        }
        return row
    }

    /// Reads a file as what it is. Without a kind a file whose signatures are given is what those are for, and a plain
    /// file without an OpenPGP signature may have one in CMS.
    static func read(
        _ path: String, as kind: SigningKind?, detached: [UInt8]?
    ) throws -> (kind: SigningKind, file: SignedFile) {
        let found = try kind ?? recognised(path, detached)
        let file = try row(found, for: path).read(path, detached: detached)
        if kind == nil, found == .generic, detached == nil, file.signatures.isEmpty {
            let other = try row(.cms, for: path).read(path, detached: nil)
            if !other.signatures.isEmpty { return (.cms, other) }
        }
        return (found, file)
    }

    /// What a file is looked at as when nobody says, also where its signatures cannot be read.
    static func kind(of path: String, detached: [UInt8]?) throws -> SigningKind {
        let found = try recognised(path, detached)
        guard found == .generic, detached == nil else { return found }
        return (try? read(path, as: nil, detached: nil).kind) ?? found
    }

    private static func recognised(_ path: String, _ detached: [UInt8]?) throws -> SigningKind {
        let kind = try Artifact.kind(of: path)
        guard let detached else { return kind }
        // DER, and so CMS of one form or another.
        if detached.first == 0x30 { return kind == .module || kind == .efi ? kind : .cms }
        return .generic
    }
}

/// A file that was read: what it is, and how each of its signatures is judged.
struct SignedFile {
    /// Says what a signature is worth, given who is trusted and what time it is, in seconds since 1970. A signature that
    /// cannot be read is an error of the file's, not of this.
    typealias Judgement = (_ keys: TrustedKeys, _ time: Int64) throws -> SignatureVerdict

    /// What a package says it is.
    var package: RPMPackage?
    /// One for each signature, in the file's order.
    var signatures: [Judgement]
}
