// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let draftRefused = ErrorCode(
        "draft-refused", .invalidInput,
        cause: "What was to be signed breaks a rule of its format or of its issuer.",
        remedy: "Read in the message which rule it is, and ask for what keeps it.")
    public static let signerMismatch = ErrorCode(
        "signer-mismatch", .conflict,
        cause: "A signature was to be made with another key than the one that it names as its signer.",
        remedy: "Use the private key that belongs to the certificate.")
    public static let signatureMalformed = ErrorCode(
        "signature-malformed", .invalidInput,
        cause: "A signature is damaged, or is of a form that is not read here.",
        remedy: "Look at it with `gpg --list-packets FILE` or `openssl cms -cmsout -print`, and get it anew.")
    public static let openPGPCertificateMalformed = ErrorCode(
        "openpgp-certificate-malformed", .invalidInput,
        cause: "An OpenPGP certificate (a public key) is damaged, or is of a form that is not read here.",
        remedy:
            "Export it anew as version 4, such as with `gpg --armor --export`; a private key is not taken.")

    public static let requestMalformed = ErrorCode(
        "request-malformed", .invalidInput,
        cause: "A certificate request is damaged, or is not signed with its own key and a strong digest.",
        remedy: "Make it anew, such as with `openssl req -new -sha256 -key FILE`.")

    static let ofSignatures: [ErrorCode] = [
        requestMalformed,
        draftRefused, signerMismatch, signatureMalformed, openPGPCertificateMalformed,
    ]
}
