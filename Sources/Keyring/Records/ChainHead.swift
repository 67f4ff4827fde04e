// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// The end of a chain of entries, each of which holds its number and the digest of the one before, so that a missing or
/// changed one shows.
///
/// ```
/// digest = SHA-256( %x00 entry )     ; as the leaf of a Merkle tree (RFC 6962)
/// ```
public struct ChainHead: Hashable, Sendable {
    /// The number of the last entry; 0 before the first.
    public let sequence: UInt64
    /// Its digest; zeros before the first.
    public let digest: Digest

    /// A head as the database keeps it.
    public init(sequence: UInt64, digest: Digest) {
        self.sequence = sequence
        self.digest = digest
    }

    /// The head of a chain without entries.
    public static let start = ChainHead(sequence: 0, digest: Digest(zerosOf: .sha256))

    /// The head after an entry with these canonical bytes.
    public func after(_ entry: [UInt8]) -> ChainHead {
        ChainHead(sequence: sequence &+ 1, digest: Self.digest(of: entry))
    }

    public static func digest(of entry: [UInt8]) -> Digest {
        var running = RunningDigest(.sha256)
        let leaf: [UInt8] = [0]
        running.update(leaf.span)
        running.update(entry.span)
        return running.finish()
    }

    /// Goes on to an entry that says it is number `sequence` and follows `previous`.
    public mutating func follow(_ entry: [UInt8], sequence: UInt64, previous: Digest) throws(KeyringError) {
        guard sequence == self.sequence &+ 1 else {
            throw KeyringError(
                .chainBroken, "entry \(self.sequence &+ 1) is missing: the next one is number \(sequence)")
        }
        guard previous == digest else {
            throw KeyringError(
                .chainBroken,
                "entry \(sequence) does not follow the one before, which was changed or replaced")
        }
        self = after(entry)
    }
}
