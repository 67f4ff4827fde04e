// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// What a package is called, as its main header says.
public struct RPMPackage: Hashable, Sendable, CustomStringConvertible {
    public var name: String
    public var epoch: UInt32?
    public var version: String
    public var release: String
    /// What the package runs on; for a source package, what it was built on.
    public var architecture: String
    public var vendor: String?
    public var isSource: Bool

    /// `name-epoch:version-release.architecture` as rpm writes it: the epoch only where there is one.
    public var description: String {
        let epoch = epoch.map { "\($0):" } ?? ""
        return "\(name)-\(epoch)\(version)-\(release).\(isSource ? "src" : architecture)"
    }
}

extension RPMHeader {
    /// The main header's name and so on; a signature header has none.
    public var package: RPMPackage {
        RPMPackage(
            name: text(.name) ?? "", epoch: number(.epoch).map { UInt32(truncatingIfNeeded: $0) },
            version: text(.version) ?? "", release: text(.release) ?? "",
            architecture: text(.architecture) ?? "", vendor: text(.vendor),
            isSource: entry(.sourcePackage) == nil)
    }

    /// The digests of the payload, compressed as it stands in the file. Packages from before rpm 4.14 have none.
    public var payloadDigests: [Digest] {
        guard let algorithm = payloadDigestAlgorithm else { return [] }
        return texts(.payloadDigest).compactMap { text in
            guard let bytes = try? Hex.decode(text) else { return nil }
            return try? Digest(bytes.span, of: algorithm)
        }
    }

    /// The digest by which a signature over the header covers the payload. Where there is none, such a signature would
    /// vouch for any payload, so the header is not to be signed.
    public func signablePayload() throws(ArtifactError) -> Digest {
        guard let digest = payloadDigests.first else {
            throw ArtifactError(
                .artifactUnsupported,
                "\(package): the header names no digest of the payload, so a signature of it would not cover the "
                    + "payload; build it anew with rpm 4.14 or later")
        }
        return digest
    }

    private var payloadDigestAlgorithm: DigestAlgorithm? {
        switch number(.payloadDigestAlgorithm) {
        case 8: .sha256
        case 9: .sha384
        case 10: .sha512
        default: nil
        }
    }

    /// The values that this room tells others about have to be what rpm makes of them.
    func checkKnownValues() throws(ArtifactError) {
        for entry in entries {
            let number = entry.tag.rawValue
            // rpm merges the other header's values into these places, and refuses what is there already.
            guard number == 100 || number >= 1000, entry.tag != .archiveSize else {
                throw Self.malformed("tag \(number) belongs into the signature header")
            }
            if let sort = RPMTagTypes.sort(of: entry.tag), sort != entry.type.sort {
                throw Self.malformed("the value of tag \(number) has the wrong type")
            }
        }
        for (tag, what) in [
            (RPMTag.name, "name"), (.version, "version"), (.release, "release"),
            (.architecture, "architecture"),
        ] {
            guard let entry = entry(tag) else { throw Self.malformed("it has no \(what)") }
            try check(entry, what, .string)
            guard Self.isWord(bytes[entry.range].dropLast()) else {
                throw Self.malformed("the \(what) is not 1 to 255 letters, digits and signs")
            }
        }
        for (tag, what, type) in [
            (RPMTag.epoch, "epoch", RPMType.int32), (.vendor, "vendor", .string),
            (.sourcePackage, "source package", .string), (.payloadDigest, "payload digest", .stringArray),
            (.payloadDigestAlgorithm, "payload digest algorithm", .int32),
            (.format, "format version", .int32),
        ] {
            guard let entry = entry(tag) else { continue }
            try check(entry, what, type)
        }
        guard payloadDigests.count == entry(.payloadDigest)?.count ?? 0 else {
            throw Self.malformed("a payload digest is not one of SHA-256, SHA-384 or SHA-512 in lower case")
        }
        if let format = number(.format), format >= 6 { throw Self.versionSix }
    }

    static let versionSix = ArtifactError(
        .artifactUnsupported,
        "an RPM package of format 6, whose signatures rpm before 6 does not find; build it for format 4 "
            + "(rpmbuild --define '_rpmformat 4')")

    private func check(_ entry: RPMEntry, _ what: String, _ type: RPMType) throws(ArtifactError) {
        guard entry.type == type, entry.count == 1 || type == .stringArray else {
            throw Self.malformed("the \(what) has the wrong type or count")
        }
    }

    /// What file names, logs and policies can hold: printable ASCII, no blank, no slash.
    private static func isWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        (1...255).contains(bytes.count) && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }
    }
}
