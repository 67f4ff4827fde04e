// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
internal import HTTP2

/// An error as the client sees it: a problem document (RFC 9457).
///
/// ```text
/// { "type": "urn:signet:error:" CODE, "title": cause, "status": number, "detail": message, "remedy": text,
///   "code": CODE, "request": request id }
/// ```
///
/// A `CodedError` is told as it is, but for those of the category `internal`, whose message is for the log; any other
/// error is `internal-error` without a word of its own.
public struct Problem {
    public let status: Status
    public let code: ErrorCode
    public let detail: String?
    let fields: HeaderFields
    let request: RequestID
    /// What the client is not told.
    let fault: (any Error)?

    public init(of error: any Error, in request: Request) {
        self.init(of: error, request: request.id)
    }

    init(of error: any Error, request: RequestID) {
        self.request = request
        let coded = error as? any CodedError
        let refusal = error as? HTTPError
        code = coded?.code ?? (error is CancellationError ? .cancelled : .internalError)
        let isInternal = code.category == .internal
        fault = isInternal ? error : nil
        detail = isInternal ? nil : coded?.message
        status = refusal?.status ?? Status(rawValue: code.category.http)
        fields = refusal?.fields ?? HeaderFields()
    }

    private struct Document: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String?
        let remedy: String
        let code: String
        let request: String
    }

    public var response: Response {
        let document = Document(
            type: "urn:signet:error:\(code.id)", title: code.cause, status: status.rawValue, detail: detail,
            remedy: code.remedy, code: code.id, request: request.text)
        var response = Response(
            status, fields: ["content-type": "application/problem+json", "cache-control": "no-store"],
            body: (try? JSON.encode(document)) ?? [])
        response.fields.append(contentsOf: fields)
        response.problem = self
        return response
    }
}
