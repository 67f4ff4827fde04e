// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Verification

/// The JSON that scripts read. Each document names the version of its form.
enum Documents {
    static let schema = 1

    struct Fault: Encodable {
        let code: String
        let message: String
        let remedy: String

        init(_ failure: FileFailure, id: String? = nil) {
            code = id ?? failure.code.id
            message = failure.message
            remedy = failure.remedy ?? failure.code.remedy
        }
    }

    struct File: Encodable {
        var schema: Int?
        let path: String
        let kind: String?
        /// signed, good, skipped or failed
        let status: String
        let server: String?
        let signer: String?
        /// What the signatures of a judged file amount to, and each of them.
        let outcome: String?
        let package: String?
        let signatures: [Signature]?
        let output: String?
        let tries: Int?
        let reason: String?
        let error: Fault?

        init(_ report: FileReport, doneWord: String, schema: Int? = nil) {
            self.schema = schema
            path = report.path
            kind = report.kind
            output = report.output
            outcome = report.verdict?.outcome.rawValue
            package = report.verdict?.packageName
            signatures = report.verdict?.signatures.map { Signature($0) }
            var (server, signer, reason): (String?, String?, String?)
            var error: Fault?
            switch report.outcome {
            case .signed(let name):
                status = doneWord
                if doneWord == "good" { signer = name } else { server = name }
            case .skipped(let why): (status, reason) = ("skipped", why)
            case .failed(let failure): (status, error) = ("failed", Fault(failure))
            }
            (self.server, self.signer, self.reason, self.error) = (server, signer, reason, error)
            tries = doneWord != "good" && report.tries > 0 ? report.tries : nil
        }
    }

    struct Summary: Encodable {
        var schema: Int?
        /// Tells the last line of JSON lines from those of files.
        var summary: Bool?
        let done: Int
        let failed: Int
        let skipped: Int
        let retried: Int
        let servers: [String: Int]?
        let signers: [String: Int]?
        let seconds: Double
        let status: Int

        init(_ summary: RunSummary, seconds: Duration, isLine: Bool, isVerification: Bool) {
            (schema, self.summary) = isLine ? (Documents.schema, true) : (nil, nil)
            done = summary.done
            failed = summary.failed
            skipped = summary.skipped
            retried = summary.retried
            (servers, signers) = isVerification ? (nil, summary.signers) : (summary.signers, nil)
            self.seconds = (seconds / .milliseconds(1)).rounded() / 1000
            status = Int(summary.status)
        }
    }

    struct Run: Encodable {
        var schema = Documents.schema
        let command: String
        let files: [File]
        let summary: Summary
    }

    struct Failed: Encodable {
        var schema = Documents.schema
        let error: Fault
    }

    /// One document on one line.
    static func text(_ value: some Encodable) -> String {
        guard let bytes = try? JSON.encode(value) else { return "{}\n" }
        return String(decoding: bytes, as: UTF8.self) + "\n"
    }
}
