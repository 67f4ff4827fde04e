// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let trustedKeysMalformed = ErrorCode(
        "trusted-keys-malformed", .configuration,
        cause: "A file of keys to verify with holds neither OpenPGP certificates nor X.509 certificates.",
        remedy: "Give a public key (`gpg --armor --export KEY`) or certificates in PEM or DER.")
    public static let signatureMissing = ErrorCode(
        "signature-missing", .badSignature,
        cause: "A file has no signature.",
        remedy: "Sign it, or get the signed one.")
    public static let signerUnknown = ErrorCode(
        "signer-unknown", .badSignature,
        cause: "A file is signed, but by nobody whose key was given.",
        remedy: "Get the signer's public key from a place that you trust and verify with it.")
    public static let signerNotTrusted = ErrorCode(
        "signer-not-trusted", .badSignature,
        cause: "A file is signed by somebody whom the policy trusts, but not with such a file.",
        remedy: "Get the file from its source, or widen the rule of that signer in the policy.")
    public static let signaturesTooFew = ErrorCode(
        "signatures-too-few", .badSignature,
        cause: "Fewer signers than the policy asks for signed a file.",
        remedy: "Have the others sign it, or get the file that they signed.")
    public static let signatureRefused = ErrorCode(
        "signature-refused", .badSignature,
        cause: "A signature of a file does not hold.",
        remedy: "Do not use the file. Read in the message why, and get it anew from its source.")

    static let ofVerification: [ErrorCode] = [
        trustedKeysMalformed, signatureMissing, signerUnknown, signerNotTrusted, signaturesTooFew,
        signatureRefused,
    ]
}
