// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// What of an RPM package stands before its main header: all that a signature changes.
///
/// ```
/// package   = lead signature pad main payload
/// lead      = %xED.AB.EE.DB major minor type ... signatureType ...    ; 96 bytes; only rpm before 4 reads more of it
/// signature = the header of signatures and digests, region 62
/// pad       = 0*7 OCTET                                               ; to a multiple of 8
/// main      = the package's own header, region 63
/// ```
/// A signature of format 4 covers the main header, which names the digest of the payload, and one of format 3 main header
/// and payload; digests and signatures cover nothing of what stands before, so that a signature can be put in or taken
/// out without another change.
struct RPMFront: Sendable {
    var signature: RPMHeader
    /// Where the main header starts.
    var mainStart: Int
    var size: Int

    static let leadCount = 96
    static let leadMagic: [UInt8] = [0xed, 0xab, 0xee, 0xdb]
    /// What is read at once: most packages have no more before their main header.
    private static let guess = 8 << 10

    init(_ file: borrowing SourceFile) throws(ArtifactError) {
        let start = try file.read(0..<max(Self.leadCount, min(file.size, Self.guess)))
        try Self.check(start)
        let count = try Self.count(announcedIn: start, at: Self.leadCount, of: file)
        let end = Self.leadCount + count
        let bytes =
            end <= start.count ? Array(start[Self.leadCount..<end]) : try file.read(Self.leadCount..<end)
        signature = try RPMHeader(bytes, .signature)
        mainStart = Self.leadCount + Self.padded(count)
        size = file.size
        try checkTypes()
    }

    private static func check(_ lead: [UInt8]) throws(ArtifactError) {
        guard lead.starts(with: leadMagic) else {
            throw ArtifactError(.artifactMalformed, "not an RPM package")
        }
        guard lead[4] != 4 else { throw RPMHeader.versionSix }
        guard lead[4] == 3, lead[78] == 0, lead[79] == 5 else {
            throw ArtifactError(.artifactMalformed, "an RPM package of the unknown format \(lead[4])")
        }
    }

    /// The length of the header at a place, of which the start of the file may have been read.
    private static func count(
        announcedIn start: [UInt8], at place: Int, of file: borrowing SourceFile
    ) throws(ArtifactError) -> Int {
        let range = place..<place + RPMHeader.introCount
        let intro = range.upperBound <= start.count ? Array(start[range]) : try file.read(range)
        return try RPMHeader.count(announcedBy: intro.span)
    }

    /// How many bytes both headers say that they have, with the lists that are made of them.
    static func announcedCount(of file: borrowing SourceFile) throws(ArtifactError) -> Int {
        let start = try file.read(0..<min(file.size, guess))
        let signature = try count(announcedIn: start, at: leadCount, of: file)
        let main = try count(announcedIn: start, at: leadCount + padded(signature), of: file)
        return 2 * (signature + main)
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
}

/// An RPM package as it is checked before it is signed.
struct RPMFile: Sendable {
    var front: RPMFront
    var main: RPMHeader
    private var payload: Range<Int>

    var signature: RPMHeader { front.signature }
    var mainStart: Int { front.mainStart }
    var payloadStart: Int { payload.lowerBound }
    var size: Int { front.size }
    static let packetTags = RPMFront.packetTags

    init(_ file: borrowing SourceFile) throws(ArtifactError) {
        front = try RPMFront(file)
        let intro = try file.read(front.mainStart..<front.mainStart + RPMHeader.introCount)
        let end = front.mainStart + (try RPMHeader.count(announcedBy: intro.span))
        main = try RPMHeader(try file.read(front.mainStart..<end), .main)
        guard end <= file.size else { throw Self.corrupt("the payload is missing") }
        payload = end..<file.size
    }

    // MARK: Digests

    /// Compares every size and digest that the package has with what is there, so that nothing damaged is signed. The
    /// payload is read once, a piece at a time. rpm refuses a wrong MD5 digest also beside a better one that is right, so
    /// it counts wherever it stands. With an algorithm it returns that digest of main header and payload, to be gone on
    /// with.
    @discardableResult
    func checkDigests(
        _ file: borrowing SourceFile, hashing algorithm: DigestAlgorithm? = nil
    ) throws(ArtifactError) -> RunningDigest? {
        for tag in RPMFront.packetTags {
            if let packet = front.signature.binary(tag) { _ = try OpenPGPSignature(reading: Array(packet)) }
        }
        let count = main.bytes.count + payload.count
        if let announced = front.signature.number(.longSize) ?? front.signature.number(.size) {
            guard announced == UInt64(count) else {
                throw Self.corrupt("header and payload are \(count) bytes, but it says \(announced)")
            }
        }
        try checkHeaderDigests()
        let md5 = front.signature.binary(.packageMD5).map { Array($0) }
        let expected = main.payloadDigests.first
        var whole = algorithm.map { RunningDigest($0) }
        whole?.update(main.bytes.span)
        guard expected != nil || md5 != nil else { throw Self.corrupt("it has no digest of its payload") }
        var content = expected.map { RunningDigest($0.algorithm) }
        var weak = md5.map { _ in RunningDigest(.weakMD5) }
        weak?.update(main.bytes.span)
        try file.forEachChunk(of: payload) {
            content?.update($0)
            weak?.update($0)
            whole?.update($0)
        }
        guard content?.finish() == expected else { throw Self.corrupt("the payload's digest is wrong") }
        guard weak?.finish().bytes == md5 else {
            throw Self.corrupt("the MD5 digest of header and payload is wrong")
        }
        return whole
    }

    private func checkHeaderDigests() throws(ArtifactError) {
        var isKnown = front.signature.entry(.packageMD5) != nil
        for (tag, algorithm) in [(RPMTag.headerSHA1, DigestAlgorithm.weakSHA1), (.headerSHA256, .sha256)] {
            guard let announced = front.signature.text(tag) else { continue }
            isKnown = true
            guard Digest(hashing: main.bytes.span, with: algorithm).description == announced else {
                throw Self.corrupt("the header's \(algorithm.rawValue) digest is wrong")
            }
        }
        guard isKnown else { throw Self.corrupt("it has no digest of its header") }
    }

    private static func corrupt(_ reason: String) -> ArtifactError {
        ArtifactError(.artifactCorrupt, "RPM package: \(reason)")
    }
}
