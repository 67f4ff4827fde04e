// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let keyMalformed = ErrorCode(
        "key-malformed", .invalidInput,
        cause: "A key is damaged or not in a form that is read here.",
        remedy:
            "Give PKCS#8, PKCS#1, SEC1 or PKCS#12; `openssl pkey -in FILE -out NEW` rewrites a key as PKCS#8."
    )
    public static let keyFileAmbiguous = ErrorCode(
        "key-file-ambiguous", .invalidInput,
        cause: "A file holds more than one private key, or something besides the key.",
        remedy: "Give a file that holds the one key and nothing else.")
    public static let passphraseMissing = ErrorCode(
        "passphrase-missing", .invalidInput,
        cause: "A key is encrypted and no passphrase was given.",
        remedy: "Give the passphrase of the key.")
    public static let passphraseWrong = ErrorCode(
        "passphrase-wrong", .invalidInput,
        cause: "The passphrase does not open the key, or the encrypted key is damaged.",
        remedy:
            "Give the passphrase that the file was encrypted with; check it with `openssl pkey -in FILE -noout`."
    )
    public static let passphraseUnneeded = ErrorCode(
        "passphrase-unneeded", .invalidInput,
        cause: "A passphrase was given for a key that is not encrypted.",
        remedy:
            "Leave the passphrase out, and see whether this is the file you meant: it lies open to its readers."
    )
    public static let keyEncryptionNotSupported = ErrorCode(
        "key-encryption-not-supported", .invalidInput,
        cause: "A key file is encrypted with an algorithm that is not used here, most often an outdated one.",
        remedy: "Rewrite it: `openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW`.")
    public static let keyWeak = ErrorCode(
        "key-weak", .invalidInput,
        cause: "A key can be broken or is not consistent in itself.",
        remedy: "Do not use this key anywhere; make a new one.")
    public static let keyPairMismatch = ErrorCode(
        "key-pair-mismatch", .invalidInput,
        cause: "A private key does not belong to the public key or the certificate beside it.",
        remedy: "Give the private key and the certificate of one pair.")

    static let ofKeyImport: [ErrorCode] = [
        keyMalformed, keyFileAmbiguous, passphraseMissing, passphraseWrong, passphraseUnneeded,
        keyEncryptionNotSupported, keyWeak, keyPairMismatch,
    ]
}
