// SPDX-License-Identifier: Apache-2.0

/// What every program of the house can meet, whatever its trade.
extension ErrorCode {
    public static let invalidArgument = ErrorCode(
        "invalid-argument", .invalidInput,
        cause: "A value in the request or on the command line is malformed or out of its range.",
        remedy: "Correct the field that the message names.")
    public static let malformedInput = ErrorCode(
        "malformed-input", .invalidInput,
        cause: "A file or message does not follow its format.",
        remedy: "Make the input anew; if another program wrote it, report the place that the message names.")
    public static let tooLarge = ErrorCode(
        "too-large", .invalidInput,
        cause: "An input is larger than the limit for its kind.",
        remedy: "Send a smaller input, or raise the limit that the message names.")
    public static let badArguments = ErrorCode(
        "bad-arguments", .configuration,
        cause: "The command line names an unknown command or option, or lacks a needed one.",
        remedy: "See `--help` of the command.")
    public static let badConfiguration = ErrorCode(
        "bad-configuration", .configuration,
        cause: "A setting is missing, unknown, of the wrong type or out of its range.",
        remedy: "Correct the setting at the file, line and column that the message names.")
    public static let unauthenticated = ErrorCode(
        "unauthenticated", .notAuthenticated,
        cause: "The caller did not prove who he is.",
        remedy: "Present a valid client certificate or token.")
    public static let permissionDenied = ErrorCode(
        "permission-denied", .notAllowed,
        cause: "The caller is known but may not do this.",
        remedy: "Ask an administrator for the role or grant that the message names.")
    public static let notFound = ErrorCode(
        "not-found", .notFound,
        cause: "No such thing exists, or the caller may not see it.",
        remedy: "Check the name or id.")
    public static let fileUnreadable = ErrorCode(
        "file-unreadable", .invalidInput,
        cause: "A file could not be opened or read.",
        remedy: "Check the path and the permissions of the file and its folders.")
    public static let conflict = ErrorCode(
        "conflict", .conflict,
        cause: "Something with the same name or id exists, or somebody changed it in the meantime.",
        remedy: "Read the present state and try again, or choose another name.")
    public static let wrongState = ErrorCode(
        "wrong-state", .wrongState,
        cause: "The action is not possible in the present state.",
        remedy: "Bring it into the state that the message names first.")
    public static let quotaExceeded = ErrorCode(
        "quota-exceeded", .exhausted,
        cause: "A quota or rate limit of the caller is used up.",
        remedy: "Wait for as long as the answer says, or ask an administrator for a larger quota.")
    public static let overloaded = ErrorCode(
        "overloaded", .unavailable,
        cause: "The server has more to do than it may queue.",
        remedy: "Try again after a pause, or add servers.")
    public static let unavailable = ErrorCode(
        "unavailable", .unavailable,
        cause: "A server that is needed cannot be reached or is shutting down.",
        remedy: "Try again after a pause; if it lasts, check the server that the message names.")
    public static let deadlineExceeded = ErrorCode(
        "deadline-exceeded", .deadline,
        cause: "The time that was given ran out before the work was done.",
        remedy: "Try again, with a longer deadline if the work is large.")
    public static let cancelled = ErrorCode(
        "cancelled", .cancelled,
        cause: "The caller withdrew the request.",
        remedy: "Nothing needs to be done.")
    public static let badSignature = ErrorCode(
        "bad-signature", .badSignature,
        cause: "A signature is missing or does not match what it should vouch for.",
        remedy: "Do not use the artifact; fetch it again from its origin.")
    public static let unsupported = ErrorCode(
        "unsupported", .unsupported,
        cause: "The request asks for a kind, version or algorithm that this program does not know.",
        remedy: "Use one of those that the message names, or a newer program.")
    public static let internalError = ErrorCode(
        "internal-error", .internal,
        cause: "The program broke a promise to itself.",
        remedy: "Report it together with the request id; the log holds the details.")

    static let general: [ErrorCode] = [
        invalidArgument, malformedInput, tooLarge, badArguments, badConfiguration, unauthenticated,
        permissionDenied, notFound, fileUnreadable, conflict, wrongState, quotaExceeded, overloaded,
        unavailable, deadlineExceeded, cancelled, badSignature, unsupported, internalError,
    ]
}
