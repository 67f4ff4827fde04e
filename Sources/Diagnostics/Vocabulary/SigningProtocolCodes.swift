// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let jobConflict = ErrorCode(
        "job-conflict", .conflict,
        cause:
            "A job has the id of an earlier one of the same client, with another key, kind, digest or claim.",
        remedy: "Give every job an id of its own, 16 random bytes; only a repeated job keeps its id.")
    public static let tooManyJobs = ErrorCode(
        "too-many-jobs", .exhausted,
        cause: "A client has more jobs in flight than the server takes at once.",
        remedy: "Send the job again after the pause that the answer names, or keep fewer in flight.")
    public static let badClaim = ErrorCode(
        "bad-claim", .invalidInput,
        cause: "The parts of a job do not make a claim of its kind.",
        remedy:
            "Mend what the message names; see the rules of `SignRequest` in proto/signet/v1/signing.proto.")

    static let ofSigningProtocol: [ErrorCode] = [jobConflict, tooManyJobs, badClaim]
}
