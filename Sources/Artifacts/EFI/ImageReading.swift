// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

/// An EFI image as whoever looks into it sees it: its sections, the digests that firmware may compute of it, and its
/// signatures.
public struct ImageReading: Sendable {
    public struct Section: Hashable, Sendable {
        public let name: String
        /// Bytes in the file.
        public let size: Int
    }

    public let sections: [Section]
    /// Authenticode's, of the functions that were asked for.
    public let digests: [Digest]
    /// Whether firmware hashes other bytes than those that stand between the start of the file and the certificates, as
    /// it does where sections leave gaps.
    public let hasGaps: Bool
    /// Whether the header's checksum is that of the file; nil where it has none.
    public let isChecksumRight: Bool?

    @available(*, noasync, message: "it reads a file")
    public init(of path: String, digests: [DigestAlgorithm]) throws(ArtifactError) {
        let file = try SourceFile(path)
        do throws(ArtifactError) {
            try self.init(file, digests)
            try file.checkUnchanged(since: file.snapshot)
        } catch {
            throw error.of(path)
        }
    }

    private init(_ file: borrowing SourceFile, _ algorithms: [DigestAlgorithm]) throws(ArtifactError) {
        let image = try EFIFormat().image(file)
        sections = image.sections.map { Section(name: $0.name, size: $0.range.count) }
        hasGaps = image.hasGaps
        var running = algorithms.map { RunningDigest($0) }
        for region in image.regions {
            try file.forEachChunk(of: region) { chunk in
                for index in running.indices { running[index].update(chunk) }
            }
        }
        let padding = [UInt8](repeating: 0, count: image.padding)
        digests = running.map { running in
            var padded = running
            padded.update(padding.span)
            return padded.finish()
        }
        let place = image.checksum..<image.checksum + 4
        let announced = try file.read(place)
        if announced == [0, 0, 0, 0] {
            isChecksumRight = nil
        } else {
            var checksum = ImageChecksum()
            let blank = [UInt8](repeating: 0, count: 4)
            try file.forEachChunk(of: 0..<place.lowerBound) { checksum.add($0) }
            checksum.add(blank.span)
            try file.forEachChunk(of: place.upperBound..<file.size) { checksum.add($0) }
            let value = checksum.value
            isChecksumRight = announced == (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
    }
}

extension EFIImage {
    /// Whether what is hashed is anything else than the file up to its certificates without checksum and fifth directory.
    fileprivate var hasGaps: Bool {
        var place = 0
        for region in regions {
            if place == checksum { place += 4 }
            if place == directory { place += 8 }
            guard region.lowerBound == place else { return true }
            place = region.upperBound
        }
        return place != end
    }
}
