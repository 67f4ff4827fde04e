// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Diagnostics
internal import Signatures

/// Finds two files whose detached signatures would go into one file, before anything is signed.
enum TargetCheck {
    /// Files of one name in different folders meet in the folder that is named for signatures. What cannot be looked
    /// at is told when its turn comes.
    @available(*, noasync, message: "it walks folders")
    static func check(_ order: SigningOrder, _ kinds: Set<SigningKind>) throws(SigningClientError) {
        guard let folder = order.headerFolder ?? order.folder else { return }
        var walk = FileWalk(order.paths)
        var sources: [String: (path: String, place: String)] = [:]
        while let step = walk.next() {
            guard case .file(let path, _, _) = step, let found = try? Artifact.survey(of: path) else {
                continue
            }
            let kind = order.kind(of: found.kind, by: kinds)
            guard kinds.contains(kind),
                let file = try? Artifact.survey(
                    of: path, as: kind, form: order.form(of: kind))
            else { continue }
            let isHeader = order.headerFolder != nil && kind.isPackage
            guard let suffix = isHeader ? Artifact.headerSuffix : file.detachedSuffix else { continue }
            let name = (file.place.split(separator: "/").last ?? "") + suffix
            guard let other = sources.updateValue((path, file.place), forKey: String(name)),
                other.place != file.place
            else { continue }
            throw SigningClientError(
                .artifactTargets,
                "\(other.path) and \(path): the signatures of both would be \(folder)/\(name); nothing was signed"
            )
        }
    }
}

extension SigningOrder {
    /// What a file that was recognised is signed as. CMS signs any file, and none says of itself that it should.
    func kind(of found: SigningKind, by kinds: Set<SigningKind>) -> SigningKind {
        let wanted = kind ?? (kinds == [.cms] ? .cms : found)
        return wanted == .rpm && signsPayload ? .rpmLegacy : wanted
    }

    /// A signature with what it is to bring along beside what was signed.
    func completed(_ signature: [UInt8], of kind: SigningKind) throws -> [UInt8] {
        guard kind == .cms, !revocationLists.isEmpty else { return signature }
        return try CMSSignature(signature.span).bringing(revocationLists).encoded
    }

    /// How a file's signature is written; a kind that knows no such way is refused when it is read.
    func form(of kind: SigningKind) -> SignatureForm {
        isBinary ? .binary : isDetached && kind == .module ? .detached : .usual
    }

    /// Whether a file of a folder is one of those that are meant.
    func takes(_ found: SigningKind, as kind: SigningKind) -> Bool {
        kind == found || kind == .cms || kind == .rpmLegacy && found == .rpm
    }
}

extension SigningKind {
    var isPackage: Bool { self == .rpm || self == .rpmLegacy }
}
