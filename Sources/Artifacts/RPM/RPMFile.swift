// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// An RPM package: where its parts are, and its two headers.
///
/// ```
/// package   = lead signature pad main payload
/// lead      = %xED.AB.EE.DB major minor type ... signatureType ...    ; 96 bytes; only rpm before 4 reads more of it
/// signature = the header of signatures and digests, region 62
/// pad       = 0*7 %x00                                                ; to a multiple of 8
/// main      = the package's own header, region 63
/// ```
/// A signature of format 4 covers the main header, which names the digest of the payload; digests and signatures
/// cover nothing of what stands before, so that a signature can be put in or taken out without another change.
struct RPMFile: Sendable {
    var signature: RPMHeader
    var main: RPMHeader
    /// Where the file's parts start.
    var mainStart: Int
    var payloadStart: Int
    var size: Int

    static let leadCount = 96
    static let leadMagic: [UInt8] = [0xed, 0xab, 0xee, 0xdb]

    init(_ file: borrowing SourceFile) throws(ArtifactError) {
        let lead = try file.read(0..<Self.leadCount)
        guard Array(lead[..<4]) == Self.leadMagic else {
            throw ArtifactError(.artifactMalformed, "not an RPM package")
        }
        guard lead[4] != 4 else { throw RPMHeader.versionSix }
        guard lead[4] == 3, lead[78] == 0, lead[79] == 5 else {
            throw ArtifactError(.artifactMalformed, "an RPM package of the unknown format \(lead[4])")
        }
        signature = try Self.header(at: Self.leadCount, of: file, .signature)
        mainStart = Self.leadCount + Self.padded(signature.bytes.count)
        main = try Self.header(at: mainStart, of: file, .main)
        payloadStart = mainStart + main.bytes.count
        size = file.size
        try checkTypes()
    }

    private static func header(
        at place: Int, of file: borrowing SourceFile, _ region: RPMHeader.Region
    ) throws(ArtifactError) -> RPMHeader {
        let count = try count(announcedAt: place, of: file)
        return try RPMHeader(try file.read(place..<place + count), region)
    }

    /// How many bytes both headers say that they have, with the lists that are made of them.
    static func announcedCount(of file: borrowing SourceFile) throws(ArtifactError) -> Int {
        let signature = try count(announcedAt: leadCount, of: file)
        let main = try count(announcedAt: leadCount + padded(signature), of: file)
        return 2 * (signature + main)
    }

    private static func count(
        announcedAt place: Int, of file: borrowing SourceFile
    ) throws(ArtifactError) -> Int {
        let intro = try file.read(place..<place + RPMHeader.introCount)
        return try RPMHeader.count(announcedBy: intro.span)
    }

    static func padded(_ count: Int) -> Int { (count + 7) & ~7 }

    private func checkTypes() throws(ArtifactError) {
        for entry in signature.entries {
            let isRight =
                switch entry.tag {
                case .headerSHA1, .headerSHA256: entry.type == .string
                case .size: entry.type == .int32 && entry.count == 1
                case .longSize: entry.type == .int64 && entry.count == 1
                case .packageMD5: entry.type == .binary && entry.count == 16
                case .headerSignatures: entry.type == .stringArray
                case .headerSignatureDSA, .headerSignatureRSA, .packageSignatureRSA, .packageSignatureDSA,
                    .packageSignatureOld, .reservedSpace:
                    entry.type == .binary
                default: true
                }
            guard isRight else {
                throw RPMHeader.malformed("signature tag \(entry.tag.rawValue) has the wrong type or count")
            }
        }
    }

    // MARK: Digests

    /// Compares every size and digest that the package has with what is there, so that nothing damaged is signed. The
    /// payload is read once, a piece at a time; MD5 is only for packages without a better digest of it.
    func checkDigests(_ file: borrowing SourceFile) throws(ArtifactError) {
        guard payloadStart <= size else { throw Self.corrupt("the payload is missing") }
        for tag in Self.packetTags {
            if let packet = signature.binary(tag) { _ = try OpenPGPSignature(reading: Array(packet)) }
        }
        if let announced = signature.number(.longSize) ?? signature.number(.size) {
            guard announced == UInt64(size - mainStart) else {
                throw Self.corrupt(
                    "header and payload are \(size - mainStart) bytes, but it says \(announced)")
            }
        }
        for (tag, algorithm) in [(RPMTag.headerSHA1, DigestAlgorithm.weakSHA1), (.headerSHA256, .sha256)] {
            guard let announced = signature.text(tag) else { continue }
            guard Digest(hashing: main.bytes.span, with: algorithm).description == announced else {
                throw Self.corrupt("the header's \(algorithm.rawValue) digest is wrong")
            }
        }
        let md5 = signature.binary(.packageMD5).map { Array($0) }
        guard md5 != nil || signature.entry(.headerSHA256) != nil || signature.entry(.headerSHA1) != nil
        else {
            throw Self.corrupt("it has no digest of its header")
        }
        let expected = try main.signablePayload()
        var running = RunningDigest(expected.algorithm)
        try file.forEachChunk(of: payloadStart..<size) { running.update($0) }
        guard running.finish() == expected else { throw Self.corrupt("the payload's digest is wrong") }
    }

    private static func corrupt(_ reason: String) -> ArtifactError {
        ArtifactError(.artifactCorrupt, "RPM package: \(reason)")
    }
}
