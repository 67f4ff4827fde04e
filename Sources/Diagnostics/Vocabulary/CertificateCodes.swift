// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let certificateMalformed = ErrorCode(
        "certificate-malformed", .invalidInput,
        cause: "A certificate or revocation list is damaged or breaks the rules of its encoding.",
        remedy: "Look at it with `openssl x509 -text -in FILE` (`openssl crl` for a list) and get it anew.")
    public static let certificateRefused = ErrorCode(
        "certificate-refused", .notAuthenticated,
        cause: "A certificate does not lead to a trusted root by the rules for its purpose.",
        remedy: "Read in the message which certificate failed and why; renew it, or add the missing one.")

    static let ofCertificates: [ErrorCode] = [certificateMalformed, certificateRefused]
}
