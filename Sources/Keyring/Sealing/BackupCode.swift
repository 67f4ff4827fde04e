// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

extension ClusterKey {
    /// The code of a backup with this digest, which nobody makes who cannot open the key:
    ///
    ///     "signet backup code 1" digest
    public func code(ofBackup digest: Digest) throws -> [UInt8] { try code(of: Self.form(digest)).bytes }

    /// Refuses a backup that somebody made or changed who cannot open the key.
    public func checkBackup(_ digest: Digest, code: [UInt8]) throws {
        try check(RowCode(clusterKey: id, bytes: code), of: Self.form(digest), "the backup")
    }

    private static func form(_ digest: Digest) -> [UInt8] {
        var writer = CanonicalWriter("signet backup code 1")
        writer.write(digest)
        return writer.bytes
    }
}
