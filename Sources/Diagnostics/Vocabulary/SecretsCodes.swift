// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let memoryNotLocked = ErrorCode(
        "memory-not-locked", .configuration,
        cause: "Memory for key material could not be locked, so it might be written to swap.",
        remedy: "Raise the limit of locked memory (LimitMEMLOCK= of the unit, `ulimit -l`).")
    public static let secretFileExposed = ErrorCode(
        "secret-file-exposed", .configuration,
        cause: "A file that holds a secret may be read or written by other users.",
        remedy: "Make it yours or root's, and accessible for its owner alone: chmod 0600 FILE.")
    public static let secretFileRefused = ErrorCode(
        "secret-file-refused", .configuration,
        cause:
            "A file that should hold a secret is a link, no regular file, too large, or changed while it was read.",
        remedy: "Name a regular file that holds nothing but the secret.")
    public static let secretFileUnreadable = ErrorCode(
        "secret-file-unreadable", .configuration,
        cause: "A file that should hold a secret could not be opened or read.",
        remedy: "Check the path, and that the file and its folders may be read by the program's user.")
    public static let secretFileUnwritable = ErrorCode(
        "secret-file-unwritable", .configuration,
        cause: "A new file for a secret could not be written, or a file of that name exists.",
        remedy: "Name a new file in a folder that the program's user may write to; nothing is overwritten.")
    public static let secretBudgetSpent = ErrorCode(
        "secret-budget-spent", .exhausted,
        cause: "All the locked memory that the program set aside for small secrets is in use.",
        remedy: "Try again when others have finished, or raise the budget that the message names.")
    public static let processNotHardened = ErrorCode(
        "process-not-hardened", .configuration,
        cause: "A way for key material to leave the process could not be closed at the start.",
        remedy: "Mend what the message names, or allow the step by its name in the settings.")
    public static let secureHeapMissing = ErrorCode(
        "secure-heap-missing", .configuration,
        cause: "The secure heap of OpenSSL, where private keys are kept, could not be set up or locked.",
        remedy: "Raise the limit of locked memory (LimitMEMLOCK= of the unit, `ulimit -l`).")

    static let ofSecrets: [ErrorCode] = [
        memoryNotLocked, secretFileExposed, secretFileRefused, secretFileUnreadable, secretFileUnwritable,
        secretBudgetSpent, processNotHardened, secureHeapMissing,
    ]
}
