// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Text with its OpenPGP signatures around it, such as InRelease, .dsc and CHECKSUM files: the file itself becomes the
/// message.
///
/// The text is claimed, and the server makes of it what is hashed. Each key signs once: its earlier signature gives way,
/// and those of others stay beside it.
struct CleartextFormat: ArtifactFormat {
    let kind = SigningKind.cleartext
    let suffixes = [".dsc", "InRelease"]

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool {
        CleartextMessage.begins(start.span)
    }

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        min(file.size, 2 * CleartextMessage.largest)
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        .bytes(try Content(file).text)
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        try Content(file).signatures.map(\.encoded)
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let new = try OpenPGPSignature(reading: signature)
        let content = try Content(file)
        let others = content.signatures.filter { $0.issuerKeyID != new.issuerKeyID }
        do throws(SignaturesError) {
            let message = try CleartextMessage(content.text, signatures: others + [new])
            return .rewritten([.new(message.encoded)])
        } catch {
            throw ArtifactError(.artifactMalformed, error.message)
        }
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        let content = try Content(file)
        return content.signatures.isEmpty ? nil : .rewritten([.new(content.text)])
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        guard case .bytes(let text) = content else {
            throw ArtifactError(.artifactMalformed, "a text is claimed by its content")
        }
        try Self.check(text)
        return ClaimFacts(size: UInt64(text.count))
    }

    private static func check(_ text: [UInt8]) throws(ArtifactError) {
        // A zero is in each header of a package, so none can be signed as text.
        if let reason = CleartextMessage.refusal(of: text.span) {
            throw ArtifactError(.artifactMalformed, reason)
        }
    }

    /// The text of a file, and the signatures that stand around it already.
    private struct Content {
        let text: [UInt8]
        var signatures: [OpenPGPSignature] = []

        init(_ file: borrowing SourceFile) throws(ArtifactError) {
            guard file.size <= 2 * CleartextMessage.largest else {
                throw ArtifactError(.tooLarge, "a text of \(file.size) bytes")
            }
            let bytes = try file.read(0..<file.size)
            guard CleartextMessage.begins(bytes.span) else {
                try CleartextFormat.check(bytes)
                text = bytes
                return
            }
            do {
                let message = try CleartextMessage(bytes.span)
                text = message.text
                signatures = message.signatures
            } catch {
                let coded = error as? any CodedError
                throw ArtifactError(.artifactMalformed, coded?.message ?? "\(error)")
            }
        }
    }
}
