// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let artifactMalformed = ErrorCode(
        "artifact-malformed", .invalidInput,
        cause: "A file or claim looks like its kind but does not follow the format, so nothing is signed.",
        remedy: "Build the file anew; the message names the place.")
    public static let artifactCorrupt = ErrorCode(
        "artifact-corrupt", .invalidInput,
        cause: "A digest or size inside of a file does not match its contents, so nothing is signed.",
        remedy: "Fetch or build the file anew; it was damaged or changed after it was built.")
    public static let artifactUnsupported = ErrorCode(
        "artifact-unsupported", .unsupported,
        cause: "The kind of a file is known, but this form of it cannot be signed.",
        remedy: "The message says what to do first, or which form is taken.")
    public static let artifactUnrecognised = ErrorCode(
        "artifact-unrecognised", .invalidInput,
        cause: "A file is not of the kind that was asked for.",
        remedy: "Name the right kind, or leave the file out.")
    public static let artifactSigned = ErrorCode(
        "artifact-signed", .conflict,
        cause: "A file has a signature of another key where the new one would go.",
        remedy: "Ask for the present signature to be replaced, or strip it first.")
    public static let artifactChanged = ErrorCode(
        "artifact-changed", .conflict,
        cause: "A file changed between the moment it was read and the moment its signature came.",
        remedy: "Sign it again when nobody else writes to it; it was left as it is.")
    public static let artifactBusy = ErrorCode(
        "artifact-busy", .conflict,
        cause: "Another program holds the lock of a file to write to it.",
        remedy: "Try again when the other program is done.")
    public static let artifactUnwritable = ErrorCode(
        "artifact-unwritable", .invalidInput,
        cause: "A signed file could not be written; the original is as it was.",
        remedy: "Check the space on the disk and the permissions of the file and its folder.")
    public static let artifactUnsettled = ErrorCode(
        "artifact-unsettled", .internal,
        cause: "A signature was written, but the disk did not confirm it or could not take it back.",
        remedy: "Look after the disk, then run the same command again, which settles what is there.")
    public static let artifactTargets = ErrorCode(
        "artifact-targets", .configuration,
        cause: "The detached signatures of two files would go into one file.",
        remedy: "Sign the files one folder at a time, or leave --out-dir out.")

    static let ofArtifacts: [ErrorCode] = [
        artifactMalformed, artifactCorrupt, artifactUnsupported, artifactUnrecognised, artifactSigned,
        artifactChanged, artifactBusy, artifactUnwritable, artifactUnsettled, artifactTargets,
    ]
}
