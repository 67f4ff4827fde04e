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
        guard let module = try? module(in: file) else { return false }
        if module.count < file.size { return true }
        return (try? ELFObject(module.span))?.sections.contains { $0.name == ".modinfo" } ?? false
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        let module = try module(in: file)
        _ = try ModuleFacts(module.span)
        return .bytes(module)
    }

    /// Of several signatures each covers those before it, so none but the first is over the module.
    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        let size = try moduleSize(of: file)
        let rest = try file.read(size..<min(file.size, size + ModuleSignature.largest + ModuleTrailer.count))
        return ModuleTrailer.firstSignatureCount(rest).map { [Array(rest[..<$0])] } ?? []
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

    /// The length of the module without its signatures; some signers put one behind the other.
    private func moduleSize(of file: borrowing SourceFile) throws(ArtifactError) -> Int {
        let start = try file.read(0..<min(file.size, 18))
        for (magic, program) in Self.compressors where start.starts(with: magic) {
            throw ArtifactError(
                .artifactUnsupported,
                "a compressed module; sign it before it is compressed (\(program) -d, sign, \(program))")
        }
        guard ELFObject.begins(start.span) else {
            throw ArtifactError(.artifactMalformed, "not a kernel module: it is no relocatable ELF file")
        }
        var size = file.size
        while true {
            let end = try file.read(max(0, size - ModuleTrailer.count)..<size)
            guard let count = try ModuleTrailer.signatureCount(end, before: size - ModuleTrailer.count) else {
                break
            }
            size -= ModuleTrailer.count + count
        }
        return size
    }

    private static let compressors: [([UInt8], String)] = [
        ([0x1f, 0x8b], "gzip"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz"),
        ([0x28, 0xb5, 0x2f, 0xfd], "zstd"), ([0x42, 0x5a, 0x68], "bzip2"),
    ]

    private static func tooLarge(_ size: Int) -> ArtifactError {
        ArtifactError(.tooLarge, "a kernel module of \(size) bytes; the limit is \(Claim.contentLimit)")
    }
}
