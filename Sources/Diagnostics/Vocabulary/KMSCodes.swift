// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let kmsNotForProduction = ErrorCode(
        "kms-not-for-production", .configuration,
        cause: "The settings name the dummy key management service in a production environment.",
        remedy: "Name a real provider in [memory.kms-provider], or set `environment` to development.")
    public static let kmsKeyUnusable = ErrorCode(
        "kms-key-unusable", .configuration,
        cause: "The wrapping key is not the one that wrapped the cluster keys, or cannot be read.",
        remedy: "Restore the wrapping key that the message names, or correct the settings of the provider.")
    public static let kmsKeyShared = ErrorCode(
        "kms-key-shared", .configuration,
        cause: "One wrapping key would open what data-servers sign with and what certifies.",
        remedy: "Name a key of its own in [memory.certifying-kms-provider], which no data-server may use.")
    public static let kmsRefused = ErrorCode(
        "kms-refused", .internal,
        cause: "The key management service did not open a wrapped key: it was changed or moved.",
        remedy: "Restore the row from a backup, and find out who wrote to the database.")
    public static let kmsUnavailable = ErrorCode(
        "kms-unavailable", .unavailable,
        cause: "The key management service cannot be reached or is sealed.",
        remedy: "Try again after a pause; keys in memory go on signing.")

    public static let kmsDenied = ErrorCode(
        "kms-denied", .unavailable,
        cause: "The key management service does not let the program in, or not to this key.",
        remedy:
            "Put a token, secret id or PIN that holds into its file; it is read again. Look at the service's policy."
    )
    public static let kmsAnswerMalformed = ErrorCode(
        "kms-answer-malformed", .unavailable,
        cause: "The key management service answered what is not in its protocol.",
        remedy: "Check that the settings name the right service, and mend the service.")

    static let ofKMS: [ErrorCode] = [
        kmsNotForProduction, kmsKeyUnusable, kmsKeyShared, kmsRefused, kmsUnavailable, kmsDenied,
        kmsAnswerMalformed,
    ]
}
