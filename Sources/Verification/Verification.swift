// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Verification says of a file who signed it, when, how, and whether that holds: offline, with the keys that are given.
///
/// `TrustedKeys` are OpenPGP certificates, X.509 certificates and authorities out of files; a `VerificationPolicy` says
/// which of them are trusted with which files, and how many have to sign. A `FileVerdict` has one `SignatureVerdict`
/// for each signature of a file and sums them up. It holds when as many trusted signers as have to signed it and none of
/// their signatures is refused; signatures of others do not count either way, since a file may have more signers than
/// one knows. A file that is damaged, such as a package whose payload is not the one that its signed header names, is
/// refused as a whole. An `Inspection` tells what is in a file and judges nothing.
///
/// ```swift
/// var keys = TrustedKeys()
/// try keys.add(contentsOf: keyFile.span, name: "farm.asc")
/// let verdict = try FileVerdict(of: "hello-1.0-1.x86_64.rpm", by: keys, at: now)
/// guard verdict.outcome == .good else { throw VerificationError(verdict) }
/// ```
///
/// A kind of file is one type, `VerifiedKind`, and one row in `VerifiedKinds`.
public struct VerificationError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}
