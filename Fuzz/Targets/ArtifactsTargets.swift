// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Artifacts
internal import Bytes
internal import Cryptography
internal import Glibc
internal import Signatures

let artifactsTargets: [FuzzTarget] = [
    FuzzTarget("rpm-header") { input in
        for region in [RPMHeader.Region.main, .signature] {
            guard let header = try? RPMHeader(input, region) else { continue }
            guard header.bytes == input, RPMHeader.begins(input.span) else {
                throw BrokenPromise("another header than the input")
            }
            if region == .main {
                let package = header.package
                guard !package.name.isEmpty, !package.architecture.isEmpty, "\(package)".utf8.count < 1100
                else {
                    throw BrokenPromise("accepted without a name: \(package)")
                }
                _ = header.payloadDigests
            }
        }
    },
    // The digest is put right, since no fuzzer finds one.
    FuzzTarget("undo-journal") { input in
        for journal in [input, withDigest(input)] {
            guard let entries = UndoEntry.entries(of: journal) else { continue }
            let again = UndoEntry.journal(of: entries.map(\.encoded))
            guard journal.starts(with: again), UndoEntry.entries(of: again) == entries else {
                throw BrokenPromise("another journal from the same entries")
            }
            for entry in entries {
                guard !entry.name.isEmpty, !entry.name.contains("/"), ![".", ".."].contains(entry.name) else {
                    throw BrokenPromise("a name that leads elsewhere: \(entry.name)")
                }
                for segment in entry.segments {
                    guard segment.old.count == segment.new.count, segment.place >= 0,
                        segment.place <= entry.size - segment.old.count
                    else { throw BrokenPromise("a change outside of the file") }
                }
            }
        }
    },
    FuzzTarget("kernel-module") { input in
        guard let facts = try? Claim(.module, .bytes(input)).facts() else { return }
        guard facts.size == UInt64(input.count), facts.module != nil, !facts.isBlind else {
            throw BrokenPromise("taken without facts")
        }
    },
    FuzzTarget("efi-image") { input in
        guard let image = try? EFIImage(input.span, size: input.count) else { return }
        // Nothing but checksum, fifth directory and table is left out, and nothing outside is hashed.
        for region in image.regions {
            guard region.lowerBound >= 0, region.upperBound <= image.end, !region.isEmpty,
                !region.overlaps(image.checksum..<image.checksum + 4),
                !region.overlaps(image.directory..<image.directory + 8)
            else { throw BrokenPromise("hashes \(region) of \(input.count)") }
        }
        guard image.table.map({ $0.lowerBound == image.end && $0.upperBound == input.count }) ?? true else {
            throw BrokenPromise("a table that is not the end")
        }
    },
    FuzzTarget("certificate-table") { input in
        guard let table = try? CertificateTable(reading: input.span) else { return }
        let encoded = table.encoded
        guard try CertificateTable(reading: encoded.span) == table, encoded.count % 8 == 0 else {
            throw BrokenPromise("another table from the same signatures")
        }
    },
    FuzzTarget("image-generations") { input in
        guard let generations = try? ImageGenerations(input.span) else { return }
        for component in generations.components where component.name.isEmpty || component.generation < 1 {
            throw BrokenPromise("a component without name or generation")
        }
    },
    // An image in a file: a signature that is embedded is there, changes no digest, and goes away again.
    FuzzTarget("image-file") { input in
        let path = "/dev/shm/signet-fuzz-image-\(getpid())"
        try write(input, to: path)
        defer { unsafe unlink(path) }
        guard let before = try? Artifact(reading: path, as: .efi) else { return }
        try before.patch(embedding: embedded.get(), replacing: true).apply()
        let after = try Artifact(reading: path, as: .efi)
        guard after.claim == before.claim, try after.signatures == [embedded.get()] else {
            throw BrokenPromise("a signature changed the image")
        }
        try Artifact.patch(stripping: path, as: .efi)?.apply()
        guard try Artifact(reading: path, as: .efi).claim == before.claim,
            try Artifact.patch(stripping: path, as: .efi) == nil
        else { throw BrokenPromise("a stripped image has a signature") }
    },
    // A whole package in a file: what is stripped is stripped for good.
    FuzzTarget("rpm-package") { input in
        let path = "/dev/shm/signet-fuzz-\(getpid())"
        try write(input, to: path)
        defer { unsafe unlink(path) }
        _ = try? Artifact(reading: path, as: .rpm)
        guard let patch = try? Artifact.patch(stripping: path, as: .rpm) else { return }
        try patch.apply()
        guard try Artifact.patch(stripping: path, as: .rpm) == nil,
            try Artifact.signatures(of: path, as: .rpm).isEmpty
        else { throw BrokenPromise("a stripped package has a signature") }
    },
]

/// A journal with the right digest, and right about its length, as far as its input goes.
private func withDigest(_ input: [UInt8]) -> [UInt8] {
    let start = "signet undo 1\n".utf8.count + 4
    guard input.count >= start else { return input }
    let count = input.count - start
    var journal = Array(input[..<(start - 4)])
    for shift in [24, 16, 8, 0] { journal.append(UInt8(truncatingIfNeeded: count >> shift)) }
    journal += input[start...]
    return journal + Digest(hashing: journal.span, with: .sha256).bytes
}

/// Some image's signature, by a certificate of no use.
private let embedded = Result<[UInt8], any Error> {
    let key = try PrivateKey.generate(.rsa2048)
    let handle = try SigningHandle(key, .rsaPKCS1(.sha256))
    guard let begin = ASN1Time(secondsSince1970: 0), let end = ASN1Time(secondsSince1970: 1 << 32) else {
        return []
    }
    func draft(_ profile: CertificateProfile) throws -> CertificateDraft {
        CertificateDraft(
            subject: try DistinguishedName(commonName: "x"), key: key.publicKey, serial: try .random(),
            notBefore: begin, notAfter: end, profile: profile)
    }
    let root = try draft(.authority(pathLength: 0)).selfSigned(by: handle)
    let leaf = try draft(.imageSigner).signed(by: handle, issuer: root)
    let nothing: [UInt8] = []
    let digest = Digest(hashing: nothing.span, with: .sha256)
    return try AuthenticodeDraft(imageDigest: digest, signer: [leaf], created: 1).signed(by: handle)
}

private func write(_ bytes: [UInt8], to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(file) }
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw BrokenPromise("\(path) could not be written") }
}
