// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Artifacts knows the files that are signed: how each kind is recognised, what of it is sent to the server, how the
/// server judges that, and how the signature gets into the file.
///
/// It refuses files that do not follow their format, whose own digests do not match, or that changed while their
/// signature was made; every refusal leaves the file as it was.
///
/// On the client an `Artifact` is read, its `Claim` goes to a server, and the signature comes back into the file as a
/// `Patch`, which is applied whole or not at all:
///
/// ```swift
/// let artifact = try Artifact(reading: "hello-1.0-1.x86_64.rpm")
/// let signature = try sign(artifact.claim)
/// try artifact.patch(embedding: signature).apply()
/// ```
///
/// A `PatchWriter` applies many: it writes into files in place where their signature has its room, and first clears up
/// what a crash left.
///
/// The server judges what arrives before it signs:
///
/// ```swift
/// let facts = try Claim(.rpm, .bytes(content)).facts()
/// guard facts.package?.vendor == "Farm", !facts.isBlind else { ... }
/// ```
///
/// RPM packages, kernel modules, EFI images, texts and plain files are signed now. A kind is one type, `ArtifactFormat`, and one row in
/// `ArtifactFormats`.
///
/// This is why a file or claim was refused.
public struct ArtifactError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// The same, with the file's name in front.
    func of(_ file: String) -> ArtifactError {
        message.hasPrefix(file + ":") ? self : ArtifactError(code, "\(file): \(message)")
    }
}
