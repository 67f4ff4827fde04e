// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let cryptographyFailed = ErrorCode(
        "cryptography-failed", .internal,
        cause: "The cryptographic library refused an operation.",
        remedy: "Read the log line of this error for what the library said, and report it.")
    public static let keyNotSupported = ErrorCode(
        "key-not-supported", .invalidInput,
        cause: "A key is of a sort or size that is not used here.",
        remedy: "Use RSA with 2048, 3072 or 4096 bits, P-256, P-384 or Ed25519.")
    public static let algorithmMismatch = ErrorCode(
        "algorithm-mismatch", .invalidInput,
        cause: "A key, a digest and a signature algorithm do not fit together.",
        remedy: "Choose an algorithm that fits the key, and hash with the digest that it names.")
    public static let wrongLength = ErrorCode(
        "wrong-length", .invalidInput,
        cause: "A key, nonce or other cryptographic input has a length that the algorithm does not take.",
        remedy: "Give the length that the message names.")
    public static let notAuthentic = ErrorCode(
        "not-authentic", .invalidInput,
        cause: "Sealed data was altered, belongs elsewhere or was sealed under another key.",
        remedy: "Check that the data is whole and that the key is the one that sealed it.")
    public static let badMidstate = ErrorCode(
        "bad-midstate", .invalidInput,
        cause: "A hash midstate is malformed or cannot come from hashing.",
        remedy: "Send the canonical encoding of a state taken from SHA-256, SHA-384 or SHA-512.")
    public static let badSignatureEncoding = ErrorCode(
        "bad-signature-encoding", .invalidInput,
        cause: "The bytes of a signature do not have the form that its algorithm prescribes.",
        remedy: "Check that the signature is whole and of the announced algorithm.")
    public static let signatureFault = ErrorCode(
        "signature-fault", .internal,
        cause: "A fresh signature did not verify with the key's own public half, and was withheld.",
        remedy: "Suspect the machine (memory, processor) or a damaged key; the signature was not released.")

    static let ofCryptography: [ErrorCode] = [
        cryptographyFailed, keyNotSupported, algorithmMismatch, wrongLength, notAuthentic, badMidstate,
        badSignatureEncoding, signatureFault,
    ]
}
