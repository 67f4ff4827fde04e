// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let keysAway = ErrorCode(
        "keys-away", .unavailable,
        cause:
            "Keys and grants could not be read in time: the database or the key management service is away.",
        remedy: "Try again after a pause; if it lasts, check the database and the key management service.")
    public static let recordAway = ErrorCode(
        "record-away", .unavailable,
        cause: "A signature could not be recorded in time, and without its record none is given away.",
        remedy: "Send the job again under the same id; if it lasts, check the database.")
    public static let clockOff = ErrorCode(
        "clock-off", .unavailable,
        cause: "The clocks of a data-server and of its database are too far apart for it to sign.",
        remedy: "Set the clocks of both machines right (NTP); the server signs again by itself.")
    public static let serverDraining = ErrorCode(
        "server-draining", .unavailable,
        cause: "The server is about to end and takes no more jobs.",
        remedy: "Send the job to another server, under the same id.")
    public static let claimRefused = ErrorCode(
        "claim-refused", .invalidInput,
        cause: "The content is not of the kind that was named, or must not be signed as that kind.",
        remedy: "Name the kind of the file as it is, and see the message.")

    static let ofDataService: [ErrorCode] = [keysAway, recordAway, clockOff, serverDraining, claimRefused]
}
