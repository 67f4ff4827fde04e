// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Artifacts knows the files that are signed: how each kind is recognised, what of it is sent to the server, how the
/// server judges that, and how the signature gets into the file.
///
/// It refuses files that do not follow their format, whose own digests do not match, or that changed while their
/// signature was made; every refusal leaves the file as it was.
///
/// ```swift
/// let header = try RPMHeader(claimed, .main)
/// print(header.package.name, header.payloadDigests)
/// ```
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
    func of(_ file: String) -> ArtifactError { ArtifactError(code, "\(file): \(message)") }
}
