// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Signatures

extension SignatureVerdict {
    /// Whether it holds, who made it, when, and how, on one line.
    var line: String {
        let signer = signer + (name.map { " (\($0))" } ?? "")
        let parts = [refusal?.rawValue ?? "good", signer, createdText, algorithm].compactMap { $0 }
        return ShownText.line(parts.joined(separator: ", "))
    }

    /// As the REST interface writes a point in time.
    var createdText: String? {
        created.map { Date(timeIntervalSince1970: Double($0)).ISO8601Format() }
    }
}

extension Documents {
    struct Signature: Encodable {
        let valid: Bool
        /// Why it does not hold.
        let reason: String?
        let signer: String
        let name: String?
        let owner: String
        let created: String?
        let algorithm: String

        init(_ verdict: SignatureVerdict) {
            valid = verdict.isValid
            reason = verdict.refusal?.rawValue
            signer = verdict.signer
            name = verdict.name
            owner = verdict.owner
            created = verdict.createdText
            algorithm = verdict.algorithm
        }
    }
}
