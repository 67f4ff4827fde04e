// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// How a file becomes its signed self: a value that nothing has happened with yet.
///
/// It holds only what is new, and places of the old file for the rest, so its size does not depend on the file's. A
/// `PatchWriter` carries it out.
public struct Patch: Hashable, Sendable {
    /// A part of the file that will be.
    enum Piece: Hashable, Sendable {
        /// Bytes of the present file.
        case kept(Range<Int>)
        case new([UInt8])

        var count: Int {
            switch self {
            case .kept(let range): range.count
            case .new(let bytes): bytes.count
            }
        }
    }

    enum Effect: Hashable, Sendable {
        /// The file itself is replaced by these pieces.
        case rewritten([Piece])
        /// Bytes of the file are exchanged for as many others, and nothing else of it changes.
        case exchanged(at: Int, old: [UInt8], new: [UInt8])
        /// A file in the place of detached signatures, whose name is longer by the suffix, gets these bytes. `over` is
        /// what lay there when it was looked at, see `DetachedFile`; without it nothing may be there.
        case beside(suffix: String, [UInt8], over: FileSnapshot? = nil)
        /// That file goes away, if it still is what it was.
        case removed(suffix: String, FileSnapshot)
    }

    /// The file, as the caller wrote its path.
    public let path: String
    /// The path that the signature is written to: with a detached one, of the file that a link names.
    public let target: String
    let snapshot: FileSnapshot
    let signatureFolder: String?
    let effect: Effect

    init(_ file: borrowing SourceFile, _ effect: Effect) {
        path = file.path
        snapshot = file.snapshot
        signatureFolder = file.signatureFolder
        self.effect = effect
        target =
            switch effect {
            case .rewritten, .exchanged: file.path
            case .beside(let suffix, _, _), .removed(let suffix, _): file.detachedPath(suffix)
            }
    }

    /// Whether a file beside this one is written.
    public var isBeside: Bool {
        if case .beside = effect { true } else { false }
    }

    /// How many bytes are new.
    public var newCount: Int {
        switch effect {
        case .rewritten(let pieces):
            pieces.reduce(0) { sum, piece in
                if case .new(let bytes) = piece { sum + bytes.count } else { sum }
            }
        case .exchanged(_, _, let bytes), .beside(_, let bytes, _): bytes.count
        case .removed: 0
        }
    }

    /// Reads back what a detached file holds now, after it was written.
    @available(*, noasync, message: "it reads a file")
    public func checkWritten() throws(ArtifactError) {
        guard case .beside(_, let bytes, _) = effect else { return }
        let there = try SourceFile(target)
        guard there.size == bytes.count, try there.read(0..<there.size) == bytes else {
            throw ArtifactError(.artifactChanged, "\(target): it is not what was written")
        }
    }
}
