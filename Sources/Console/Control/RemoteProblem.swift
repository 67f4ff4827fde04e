// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP

extension ConsoleError {
    private struct Document: Decodable {
        let code: String?
        let detail: String?
        let title: String?
        let remedy: String?
    }

    /// What the control-server refused, in its own words.
    init(refusal response: ClientResponse) {
        let document = try? response.json(Document.self)
        let known = document?.code.flatMap { Self.vocabulary[$0] }
        self.init(
            known ?? Self.code(of: response.status.rawValue),
            document?.detail ?? document?.title ?? known?.cause
                ?? "the control-server answered with status \(response.status.rawValue)",
            remedy: document?.remedy, foreignID: known == nil ? document?.code : nil)
    }

    private static let vocabulary = Dictionary(ErrorCode.all.map { ($0.id, $0) }) { first, _ in first }

    /// For answers without a code, or with one that only a newer server knows.
    private static func code(of status: Int) -> ErrorCode {
        switch status {
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .notFound
        case 409, 412: .conflict
        case 429: .quotaExceeded
        case 502...504: .unavailable
        case 500...599: .internalError
        case 400..<500: .invalidArgument
        default: .answerInvalid
        }
    }
}
