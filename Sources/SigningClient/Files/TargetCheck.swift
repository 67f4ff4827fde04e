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
        guard let folder = order.folder else { return }
        var walk = FileWalk(order.paths)
        var sources: [String: String] = [:]
        while let step = walk.next() {
            guard case .file(let path, _, _) = step,
                let file = try? Artifact.survey(
                    of: path, as: order.kind ?? (kinds == [.cms] ? .cms : nil), isDetached: order.isDetached),
                kinds.contains(file.kind), let name = file.detachedName
            else { continue }
            if let other = sources.updateValue(path, forKey: name) {
                throw SigningClientError(
                    .artifactTargets,
                    "\(other) and \(path): the signatures of both would be \(folder)/\(name); nothing was signed"
                )
            }
        }
    }
}
