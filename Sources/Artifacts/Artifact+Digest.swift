// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

extension Artifact {
    /// The digest of a whole file, whatever it is, as `sha256sum` and its like print it.
    @available(*, noasync, message: "it reads a file")
    public static func digest(
        of path: String, _ algorithm: DigestAlgorithm
    ) throws(ArtifactError) -> Digest {
        let file = try SourceFile(path)
        var running = RunningDigest(algorithm)
        try file.forEachChunk(of: 0..<file.size) { running.update($0) }
        try file.checkUnchanged(since: file.snapshot)
        return running.finish()
    }
}
