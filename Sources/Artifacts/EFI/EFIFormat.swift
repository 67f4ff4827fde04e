// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// EFI images: the claim is the digest that firmware computes, with the `.sbat` section; signatures go into the
/// certificate table at the end, one behind the other.
struct EFIFormat: ArtifactFormat {
    let kind = SigningKind.efi
    let suffixes = [".efi"]

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        min(file.size, SourceFile.chunk)
    }

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool {
        guard start.starts(with: Array("MZ".utf8)), let head = try? head(of: file) else { return false }
        return EFIImage.begins(head.span)
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let image = try image(file)
        _ = try table(image, file)
        let sections = image.sections.filter { $0.name == ".sbat" && !$0.range.isEmpty }
        guard sections.count <= 1 else { throw EFIImage.malformed("it has several .sbat sections") }
        var sbat: [UInt8]?
        if let section = sections.first {
            guard section.loaded <= ImageGenerations.limit else {
                throw EFIImage.malformed("a .sbat section of \(section.loaded) bytes")
            }
            let place = section.range.lowerBound
            let bytes = try file.read(place..<place + section.loaded)
            _ = try ImageGenerations(bytes.span)
            sbat = bytes
        }
        return .image(ImageClaim(digest: try self.digest(image, file, digest), sbat: sbat))
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        try table(image(file), file).signatures
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let image = try image(file)
        let new = try authenticode(signature)
        var others: [[UInt8]] = []
        for present in replacing ? [] : try table(image, file).signatures {
            let old = try? AuthenticodeSignature(present.span)
            if old?.hasSigner(of: new) == true { continue }
            try checkIsOf(image, file, old, new)
            others.append(present)
        }
        guard others.count < CertificateTable.limit else {
            throw ArtifactError(.artifactUnsupported, "it has \(others.count) signatures; replace them")
        }
        return try rewritten(image, CertificateTable(others + [signature]), file)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        let image = try image(file)
        return image.table == nil ? nil : try rewritten(image, CertificateTable([]), file)
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        guard case .image(let claim) = content else {
            throw ArtifactError(.artifactMalformed, "an EFI image is claimed by its digest")
        }
        // The content was not seen, and neither was what the section was taken from.
        var facts = ClaimFacts(size: 0)
        facts.isBlind = true
        facts.generations = try claim.sbat.map { bytes throws(ArtifactError) in
            try ImageGenerations(bytes.span)
        }
        return facts
    }

    // MARK: Parts

    private func head(of file: borrowing SourceFile) throws(ArtifactError) -> [UInt8] {
        try file.read(0..<min(file.size, EFIImage.headLimit))
    }

    func image(_ file: borrowing SourceFile) throws(ArtifactError) -> EFIImage {
        let head = try head(of: file)
        return try EFIImage(head.span, size: file.size)
    }

    private func table(
        _ image: EFIImage, _ file: borrowing SourceFile
    ) throws(ArtifactError) -> CertificateTable {
        guard let place = image.table else { return CertificateTable([]) }
        let bytes = try file.read(place)
        return try CertificateTable(reading: bytes.span)
    }

    /// Of an image that was changed after it was signed not every verifier gets as far as the new signature.
    private func checkIsOf(
        _ image: EFIImage, _ file: borrowing SourceFile, _ old: AuthenticodeSignature?,
        _ new: AuthenticodeSignature
    ) throws(ArtifactError) {
        guard let old else {
            throw ArtifactError(
                .artifactSigned, "a signature in it is of a form that is not read here; replace it")
        }
        let known = new.imageDigest.algorithm == old.imageDigest.algorithm
        let digest = known ? new.imageDigest : try self.digest(image, file, old.imageDigest.algorithm)
        guard digest == old.imageDigest else {
            throw ArtifactError(
                .artifactSigned, "a signature in it is not of this image, which was changed since; replace it"
            )
        }
    }

    private func digest(
        _ image: EFIImage, _ file: borrowing SourceFile, _ algorithm: DigestAlgorithm
    ) throws(ArtifactError) -> Digest {
        var running = RunningDigest(algorithm)
        for region in image.regions { try file.forEachChunk(of: region) { running.update($0) } }
        let padding = [UInt8](repeating: 0, count: image.padding)
        running.update(padding.span)
        return running.finish()
    }

    private func authenticode(_ signature: [UInt8]) throws(ArtifactError) -> AuthenticodeSignature {
        do {
            return try AuthenticodeSignature(signature.span)
        } catch {
            throw ArtifactError(.signatureMalformed, "the signature to be embedded: \(error)")
        }
    }

    /// The image with this table, and with a checksum that is right for it.
    private func rewritten(
        _ image: EFIImage, _ table: CertificateTable, _ file: borrowing SourceFile
    ) throws(ArtifactError) -> Patch.Effect {
        let bytes = table.encoded
        // What was padded once stays so: nobody can tell those zeros from the image's own.
        let padding = [UInt8](repeating: 0, count: bytes.isEmpty ? 0 : image.padding)
        var entry = ByteWriter()
        entry.write(bytes.isEmpty ? 0 : UInt32(image.end + padding.count), .little)
        entry.write(UInt32(bytes.count), .little)
        let directory = image.directory
        let parts: [Patch.Piece] = [
            .kept(0..<image.checksum), .new([0, 0, 0, 0]), .kept(image.checksum + 4..<directory),
            .new(entry.bytes), .kept(directory + 8..<image.end), .new(padding + bytes),
        ]
        var checksum = ImageChecksum()
        for part in parts {
            switch part {
            case .kept(let range): try file.forEachChunk(of: range) { checksum.add($0) }
            case .new(let bytes): checksum.add(bytes.span)
            }
        }
        var value = ByteWriter()
        value.write(checksum.value, .little)
        return .rewritten([parts[0], .new(value.bytes)] + parts[2...])
    }
}
