// SPDX-License-Identifier: Apache-2.0

/// The control plane: who may ask it, how it begins, and the certificates of the transport.
extension ErrorCode {
    public static let tokenInvalid = ErrorCode(
        "token-invalid", .notAuthenticated,
        cause: "The API token is unknown, revoked or expired, or its user is disabled.",
        remedy: "Make a new token, or ask an administrator for one.")
    public static let scopeMissing = ErrorCode(
        "scope-missing", .notAllowed,
        cause: "The role would allow it, but the token is not for that.",
        remedy: "Use a token with the scope that the message names: `signet token create --scope`.")
    public static let roleMissing = ErrorCode(
        "role-missing", .notAllowed,
        cause: "The user's role does not allow this.",
        remedy: "Ask an administrator, or ask one for the role that the message names.")
    public static let alreadySetUp = ErrorCode(
        "already-set-up", .conflict,
        cause: "There is an administrator already, so there is no first one to make.",
        remedy: "Ask an administrator for a user, or name the user whose token was lost with --replace-token."
    )
    public static let authorityExists = ErrorCode(
        "authority-exists", .conflict,
        cause: "The folder holds a certificate authority already.",
        remedy: "Use it, or name another folder; every certificate hangs on the authority that is there.")
    public static let authorityMissing = ErrorCode(
        "authority-missing", .configuration,
        cause: "The folder holds no certificate authority of the transport, or not all of its files.",
        remedy: "Run `control-admin pki init`, or name the right folder in the setting pki.folder.")
    public static let certificateNotFound = ErrorCode(
        "certificate-not-found", .notFound,
        cause: "The authority issued no certificate of that name or number that is still good.",
        remedy: "Look at what was issued: `control-admin pki list`.")
    public static let fileNotWritten = ErrorCode(
        "file-not-written", .configuration,
        cause: "A file could not be written, or a file of that name exists and is not to be replaced.",
        remedy: "Check the path, the owner and mode of its folder, and the room on the disk.")
    public static let needsAttention = ErrorCode(
        "needs-attention", .conflict,
        cause: "Something about the control plane needs looking after, or soon will.",
        remedy:
            "Read what `control-admin doctor` told about each; docs/reference/control-admin.md says what to do."
    )

    static let ofControlService: [ErrorCode] = [
        tokenInvalid, roleMissing, scopeMissing, alreadySetUp, authorityExists, authorityMissing,
        certificateNotFound, fileNotWritten, needsAttention,
    ]
}
