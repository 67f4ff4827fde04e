// SPDX-License-Identifier: Apache-2.0

/// How a file becomes its signed self: a value that nothing has happened with yet.
///
/// It holds only what is new, and places of the old file for the rest, so its size does not depend on the file's.
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
        /// A file beside it, or in another folder, whose name is longer by the suffix, gets these bytes.
        case beside(suffix: String, [UInt8], folder: String? = nil)
        /// That file goes away.
        case removed(suffix: String)
    }

    /// The file, as the caller wrote its path.
    public let path: String
    let snapshot: FileSnapshot
    private(set) var effect: Effect

    init(_ file: borrowing SourceFile, _ effect: Effect) {
        path = file.path
        snapshot = file.snapshot
        self.effect = effect
    }

    /// The path that the signature is written to.
    public var target: String {
        switch effect {
        case .rewritten: path
        case .beside(let suffix, _, let folder?):
            "\(folder)/\(path.split(separator: "/").last ?? "")\(suffix)"
        case .beside(let suffix, _, nil), .removed(let suffix): path + suffix
        }
    }

    /// The same, with a detached signature in that folder instead of beside the file.
    public func placed(in folder: String) -> Patch {
        guard case .beside(let suffix, let bytes, _) = effect else { return self }
        var patch = self
        patch.effect = .beside(suffix: suffix, bytes, folder: folder)
        return patch
    }

    /// How many bytes are new.
    public var newCount: Int {
        switch effect {
        case .rewritten(let pieces):
            pieces.reduce(0) { sum, piece in
                if case .new(let bytes) = piece { sum + bytes.count } else { sum }
            }
        case .beside(_, let bytes, _): bytes.count
        case .removed: 0
        }
    }

    /// Whether every kept byte stays where it is and the length is the same, so that only the new bytes differ.
    static func isInPlace(_ pieces: [Piece], size: Int) -> Bool {
        var place = 0
        for piece in pieces {
            if case .kept(let range) = piece, range.lowerBound != place { return false }
            place += piece.count
        }
        return place == size
    }
}
