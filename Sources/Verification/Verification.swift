// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Verification says of a file who signed it, when, how, and whether that holds: offline, with the keys that are given.
///
/// `TrustedKeys` are OpenPGP certificates and X.509 certificates out of files. A `FileVerdict` has one
/// `SignatureVerdict` for each signature of a file and sums them up. It holds when one signature of a given key holds
/// and none is refused; signatures of others do not count either way, since a file may have more signers than one
/// knows. A file that is damaged, such as a package whose payload is not the one that its signed header names, is
/// refused as a whole.
///
/// ```swift
/// var keys = TrustedKeys()
/// try keys.add(contentsOf: keyFile.span, name: "farm.asc")
/// let verdict = try FileVerdict(of: "hello-1.0-1.x86_64.rpm", by: keys, at: now)
/// guard verdict.outcome == .good else { throw VerificationError(verdict) }
/// ```
public struct VerificationError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}
