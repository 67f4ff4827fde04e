// SPDX-License-Identifier: Apache-2.0

/// Keys, clients, grants, users and records.
extension ErrorCode {
    public static let keyNotFound = ErrorCode(
        "key-not-found", .notFound,
        cause: "There is no such key, or the caller may not see it.",
        remedy: "Check the name or id; `signet key list` shows the keys.")
    public static let keyNameTaken = ErrorCode(
        "key-name-taken", .conflict,
        cause: "Another key has this name.",
        remedy: "Choose another name, or delete the other key first.")
    public static let keyExists = ErrorCode(
        "key-exists", .conflict,
        cause: "The public half belongs to a key that is or was here; one key has one purpose for life.",
        remedy: "Use the key that is here, or generate a new one.")
    public static let changedMeanwhile = ErrorCode(
        "changed-meanwhile", .conflict,
        cause: "Somebody else changed it after it was read.",
        remedy: "Read the present state and try again.")
    public static let keyStateForbids = ErrorCode(
        "key-state-forbids", .wrongState,
        cause: "The action is not possible in the key's present state.",
        remedy: "Bring the key into a state that allows the action; the reference of key states lists them.")
    public static let keyDisabled = ErrorCode(
        "key-disabled", .wrongState,
        cause: "The key is disabled.",
        remedy: "Ask an administrator to enable it: `signet key enable`.")
    public static let signingFrozen = ErrorCode(
        "signing-frozen", .wrongState,
        cause: "The administrators have stopped signing with this key, or all signing.",
        remedy:
            "Wait until they let it go on: `signet thaw`, or `data-server thaw` where it was stopped there.")
    public static let freezeNotFound = ErrorCode(
        "freeze-not-found", .notFound,
        cause: "Signing is not frozen there.",
        remedy: "See what is frozen: `signet frozen`.")
    public static let keyExpired = ErrorCode(
        "key-expired", .wrongState,
        cause: "The key's validity has ended.",
        remedy: "Ask an administrator to renew it, or sign with its successor.")
    public static let keyNotYetValid = ErrorCode(
        "key-not-yet-valid", .wrongState,
        cause: "The key was created after the present time of the server.",
        remedy: "Check the clocks of the servers.")
    public static let keySchemeMismatch = ErrorCode(
        "key-scheme-mismatch", .invalidInput,
        cause: "The key makes signatures of another scheme than the kind of file needs.",
        remedy: "Name a key of the scheme that the message names.")
    public static let notGranted = ErrorCode(
        "not-granted", .notAllowed,
        cause: "No signing grant lets this client use this key.",
        remedy: "Ask an administrator for a grant: `signet grant add`.")
    public static let kindNotGranted = ErrorCode(
        "kind-not-granted", .notAllowed,
        cause: "The client may use the key, but not for this kind of file.",
        remedy: "Ask an administrator for a grant that names the kind.")
    public static let networkNotGranted = ErrorCode(
        "network-not-granted", .notAllowed,
        cause: "The client may use the key, but not from the address that it calls from.",
        remedy:
            "Call from one of the grant's networks, or ask an administrator for a grant that names this one.")
    public static let grantExpired = ErrorCode(
        "grant-expired", .notAllowed,
        cause: "The signing grant of this client for this key has expired.",
        remedy: "Ask an administrator for a new grant.")
    public static let clientDenied = ErrorCode(
        "client-denied", .notAllowed,
        cause: "An administrator shut this client out.",
        remedy: "Ask an administrator to let it in again, or use another client certificate.")
    public static let identityAmbiguous = ErrorCode(
        "identity-ambiguous", .notAuthenticated,
        cause: "The client certificate bears several names of one sort, so that no grant can mean just one.",
        remedy: "Use a certificate with one URI, one DNS name or one common name.")
    public static let identityMissing = ErrorCode(
        "identity-missing", .notAuthenticated,
        cause: "The client certificate bears no name that is taken here.",
        remedy: "Use a certificate with a URI or DNS name, or allow common names in the settings.")
    public static let grantNotFound = ErrorCode(
        "grant-not-found", .notFound,
        cause: "There is no such signing grant.",
        remedy: "Check the id; `signet grant list` shows the grants.")
    public static let keyInUse = ErrorCode(
        "key-in-use", .conflict,
        cause: "Other keys hang on this one: an authority certified them, or they are its subkeys.",
        remedy: "Delete those first; `signet key list` shows them.")
    public static let clusterKeyNotFound = ErrorCode(
        "cluster-key-not-found", .notFound,
        cause: "There is no such cluster key, or nothing is under it any more and it was taken away.",
        remedy: "Check the id; `control-admin cluster-key list` shows them.")
    public static let approvalNotFound = ErrorCode(
        "approval-not-found", .notFound,
        cause: "There is no such request for approval.",
        remedy: "Check the id; `signet approval list` shows the requests.")
    public static let approvalRefused = ErrorCode(
        "approval-refused", .notAllowed,
        cause: "This approval does not count: it comes from the one who asked, or a second time, or from an "
            + "administrator who has been one for less time than the request.",
        remedy: "Let other administrators approve it.")
    public static let approversMissing = ErrorCode(
        "approvers-missing", .wrongState,
        cause: "There are fewer administrators who could approve it than have to.",
        remedy: "Make more of them on the server's machine, `control-admin user add`, or lower the setting "
            + "control-server.approvals.")
    public static let approvalOver = ErrorCode(
        "approval-over", .wrongState,
        cause: "The request was carried out, called off, or not approved in time.",
        remedy: "Ask for it again if it is still wanted.")
    public static let userNotFound = ErrorCode(
        "user-not-found", .notFound,
        cause: "There is no such user.",
        remedy: "Check the name or id.")
    public static let userNameTaken = ErrorCode(
        "user-name-taken", .conflict,
        cause: "Another user has this name.",
        remedy: "Choose another name.")
    public static let tokenNotFound = ErrorCode(
        "token-not-found", .notFound,
        cause: "There is no such token of this user.",
        remedy: "Check the id; it may be revoked already.")
    public static let sealBroken = ErrorCode(
        "seal-broken", .internal,
        cause:
            "A sealed key does not open: it was changed, moved to another row, or belongs to another cluster key.",
        remedy: "Restore the row from a backup, and find out who wrote to the database.")
    public static let rowForged = ErrorCode(
        "row-forged", .internal,
        cause: "A row's authentication code is wrong: somebody edited the database past the control plane.",
        remedy: "Restore the row from a backup, and find out who wrote to the database.")
    public static let permitMismatch = ErrorCode(
        "permit-mismatch", .internal,
        cause: "A permit was given for another key or kind than it was used for.",
        remedy: "Report it: this is a fault of the program, and nothing was signed.")
    public static let recordMalformed = ErrorCode(
        "record-malformed", .internal,
        cause: "A record in the database does not have its canonical form.",
        remedy: "Restore the row from a backup, and find out who wrote to the database.")
    public static let chainBroken = ErrorCode(
        "chain-broken", .internal,
        cause: "An entry of a chain of records is missing or was changed.",
        remedy: "Compare with a backup, and find out who wrote to the database.")

    static let ofKeyring: [ErrorCode] = [
        keyNotFound, keyNameTaken, keyExists, changedMeanwhile, keyStateForbids, keyDisabled, signingFrozen,
        freezeNotFound, keyExpired,
        keyNotYetValid, keySchemeMismatch, notGranted, kindNotGranted, networkNotGranted, grantExpired,
        clientDenied,
        identityAmbiguous, identityMissing, grantNotFound, keyInUse, clusterKeyNotFound, approvalNotFound,
        approvalRefused, approversMissing,
        approvalOver, userNotFound, userNameTaken, tokenNotFound,
        sealBroken,
        rowForged, permitMismatch, recordMalformed, chainBroken,
    ]
}
