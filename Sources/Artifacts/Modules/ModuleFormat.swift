// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Kernel modules: the claim is the whole module, the signature goes behind it.
struct ModuleFormat: ArtifactFormat {
    let kind = SigningKind.module
    let suffixes = [".ko", ".ko.gz", ".ko.xz", ".ko.zst", ".ko.bz2"]

    /// An object file is a module when it is called so, is signed like one, or describes itself as one.
    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool {
        guard ELFObject.begins(start.span) else { return false }
        if file.name.hasSuffix(".ko") { return true }
        if let size = try? moduleSize(of: file), size < file.size { return true }
        return ELFObject.has(section: ".modinfo", in: file)
    }

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        min(file.size, Claim.contentLimit)
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let module = try module(in: file)
        _ = try ModuleFacts(module.span)
        return .bytes(module)
    }

    /// The last one alone, as the kernel looks at it. Behind an earlier one it is not over the claim, and so nobody's.
    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        guard let place = try outermost(of: file) else { return [] }
        return [try file.read(place)]
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let size = try moduleSize(of: file)
        if size < file.size, !replacing {
            throw ArtifactError(
                .artifactSigned, "the module has a signature, and a kernel looks at the last one alone")
        }
        return .rewritten([.kept(0..<size), .new(ModuleTrailer.append(signature))])
    }

    /// What the kernel would judge: the last signature and all that stands before it.
    func outermostSignature(
        in file: borrowing SourceFile
    ) throws(ArtifactError) -> (content: [UInt8], signature: [UInt8])? {
        guard let place = try outermost(of: file) else { return nil }
        guard place.lowerBound <= Claim.contentLimit else { throw Self.tooLarge(place.lowerBound) }
        return (try file.read(0..<place.lowerBound), try file.read(place))
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        let size = try moduleSize(of: file)
        return size < file.size ? .rewritten([.kept(0..<size)]) : nil
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        guard case .bytes(let bytes) = content else {
            throw ArtifactError(.artifactMalformed, "a kernel module is claimed whole, not by a midstate")
        }
        guard bytes.count <= Claim.contentLimit else { throw Self.tooLarge(bytes.count) }
        var facts = ClaimFacts(size: UInt64(bytes.count))
        facts.module = try ModuleFacts(bytes.span)
        return facts
    }

    // MARK: Parts

    private func module(in file: borrowing SourceFile) throws(ArtifactError) -> [UInt8] {
        let size = try moduleSize(of: file)
        guard size <= Claim.contentLimit else { throw Self.tooLarge(size) }
        return try file.read(0..<size)
    }

    /// Where the last signature stands; what is before it is what it has to be over.
    private func outermost(of file: borrowing SourceFile) throws(ArtifactError) -> Range<Int>? {
        try checkStart(of: file)
        return try signature(in: file, before: file.size)
    }

    private func signature(
        in file: borrowing SourceFile, before end: Int
    ) throws(ArtifactError) -> Range<Int>? {
        let start = end - ModuleTrailer.count
        guard start > 0, let count = try ModuleTrailer.signatureCount(file.read(start..<end), before: start)
        else { return nil }
        return start - count..<start
    }

    /// The length of the module without its signatures; some signers put one behind the other.
    private func moduleSize(of file: borrowing SourceFile) throws(ArtifactError) -> Int {
        try checkStart(of: file)
        var size = file.size
        var number = 0
        while let signature = try signature(in: file, before: size) {
            number += 1
            guard number <= Self.signatureLimit else {
                throw ArtifactError(
                    .artifactMalformed,
                    "kernel module: more than \(Self.signatureLimit) signatures, one behind the other")
            }
            size = signature.lowerBound
        }
        return size
    }

    private func checkStart(of file: borrowing SourceFile) throws(ArtifactError) {
        let start = try file.read(0..<min(file.size, ELFObject.headCount))
        for (magic, program) in Self.compressors where start.starts(with: magic) {
            throw ArtifactError(
                .artifactUnsupported,
                "a compressed module; sign it before it is compressed (\(program) -d, sign, \(program))")
        }
        guard ELFObject.begins(start.span) else { throw ModuleEnds.noModule }
    }

    /// More behind one another are refused: nobody needs them, and a large file has room for millions.
    private static let signatureLimit = 16

    private static let compressors: [([UInt8], String)] = [
        ([0x1f, 0x8b], "gzip"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz"),
        ([0x28, 0xb5, 0x2f, 0xfd], "zstd"), ([0x42, 0x5a, 0x68], "bzip2"),
    ]

    private static func tooLarge(_ size: Int) -> ArtifactError {
        ArtifactError(.tooLarge, "a kernel module of \(size) bytes; the limit is \(Claim.contentLimit)")
    }
}
