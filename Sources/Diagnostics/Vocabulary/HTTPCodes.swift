// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let httpMalformed = ErrorCode(
        "http-malformed", .invalidInput,
        cause: "An HTTP request breaks the protocol or a rule about paths, queries, fields or bodies.",
        remedy: "Mend what the message names; programs on the way may have changed the request.")
    public static let methodNotAllowed = ErrorCode(
        "method-not-allowed", .unsupported,
        cause: "The path exists but does not know the method of the request.",
        remedy: "Use one of the methods in the Allow field of the answer.")
    public static let mediaTypeUnsupported = ErrorCode(
        "media-type-unsupported", .invalidInput,
        cause: "The body of a request has a media type that is not read there, or none.",
        remedy: "Send the media type that the message names, and say so in Content-Type.")
    public static let notAcceptable = ErrorCode(
        "not-acceptable", .invalidInput,
        cause: "The request accepts none of the media types that the answer can have.",
        remedy: "Name one of those in the message in the Accept field, or leave the field out.")
    public static let requestTimeout = ErrorCode(
        "request-timeout", .deadline,
        cause: "A request did not arrive in time.",
        remedy: "Send it without pauses; the attempt can be repeated.")
    public static let preconditionFailed = ErrorCode(
        "precondition-failed", .conflict,
        cause: "Somebody changed the resource since its entity tag was read.",
        remedy: "Read the present state and its entity tag, and try again.")
    public static let answerInvalid = ErrorCode(
        "http-answer-invalid", .unavailable,
        cause: "A service answered with something that is no HTTP, or that could be read in two ways.",
        remedy: "Check the address of the service, and that no program on the way rewrites answers.")
    public static let answerTooLarge = ErrorCode(
        "http-answer-too-large", .exhausted,
        cause: "The answer of a service is larger than the limit for it.",
        remedy: "Check that the address is that of the service; the limit stands in the message.")

    static let ofHTTP: [ErrorCode] = [
        httpMalformed, methodNotAllowed, mediaTypeUnsupported, notAcceptable, requestTimeout,
        preconditionFailed, answerInvalid, answerTooLarge,
    ]
}
