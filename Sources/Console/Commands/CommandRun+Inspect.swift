// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Settings
internal import Signatures
internal import Verification

extension CommandRun {
    /// Shows what is in files, and trusts nobody.
    func inspect() throws -> Int32 {
        let kind = try kind()
        let detached = try detachedSignature()
        var (done, failures): (Int, [ErrorCode]) = (0, [])
        var documents: [Documents.Inspected] = []
        for path in invocation.arguments("FILE") {
            try Task.checkCancellation()
            let document: Documents.Inspected
            do {
                let inspection = try Self.inspection(of: path, kind, detached)
                done += 1
                document = Documents.Inspected(inspection)
                if form == .text { screen.out(InspectionText(inspection).text) }
            } catch {
                let failure = FileFailure(error)
                failures.append(failure.code)
                document = Documents.Inspected(path, failure)
                screen.notes(
                    "\(ShownText.line(path)): \(ShownText.line(failure.message)) [\(failure.code.id)]\n")
            }
            switch form {
            case .text: break
            case .json: documents.append(document)
            case .jsonl: screen.out(Documents.text(document.asLine))
            }
        }
        if form == .json { screen.out(Documents.text(Documents.Inspections(files: documents))) }
        return ExitStatus.of(done: done, failures: failures)
    }

    private static func inspection(
        of path: String, _ kind: SigningKind?, _ detached: [UInt8]?
    ) throws -> Inspection {
        try Inspection(of: path, as: kind, detached: detached)
    }
}

/// An inspection as people read it.
struct InspectionText {
    private let inspection: Inspection

    init(_ inspection: Inspection) { self.inspection = inspection }

    var text: String {
        var rows: [(String, String)] = [("kind", inspection.kind.rawValue)]
        if let name = inspection.name { rows.append(("name", name)) }
        if let version = inspection.version { rows.append(("version", version)) }
        rows += inspection.facts.map { ($0.name, $0.value) }
        rows += inspection.digests.map {
            ("digest", "\($0.state.rawValue), \($0.subject), \($0.algorithm) \($0.value)")
        }
        rows += inspection.signatures.map { verdict in
            (
                "signature",
                [verdict.signer, verdict.createdText, verdict.algorithm].compactMap { $0 }
                    .joined(separator: ", ")
            )
        }
        if inspection.signatures.isEmpty { rows.append(("signature", "none")) }
        if let claim = inspection.claim { rows.append(("to sign", claim)) }
        rows += inspection.targets.map { target in
            target.accepts
                ? ("taken by", target.name)
                : ("refused by", "\(target.name): \(target.objections.joined(separator: "; "))")
        }
        rows += inspection.problems.map { ("problem", $0) }
        let width = (rows.map(\.0.count).max() ?? 0) + 2
        return ShownText.line(inspection.path) + "\n"
            + rows.map { name, value in
                "  " + name + String(repeating: " ", count: width - name.count) + ShownText.line(value) + "\n"
            }.joined()
    }
}

extension Documents {
    struct Inspections: Encodable {
        var schema = Documents.schema
        var command = "inspect"
        let files: [Inspected]
    }

    /// What was seen in a file, or why nothing was.
    struct Inspected: Encodable {
        struct Check: Encodable {
            let subject: String
            let algorithm: String
            let value: String
            let state: String
        }

        struct Maker: Encodable {
            let signer: String
            let created: String?
            let algorithm: String
        }

        struct Taker: Encodable {
            let name: String
            let accepts: Bool
            let objections: [String]
        }

        var schema: Int?
        let path: String
        var kind: String?
        var name: String?
        var version: String?
        var facts: [String: String]?
        var digests: [Check]?
        var signatures: [Maker]?
        var claim: String?
        var targets: [Taker]?
        var problems: [String]?
        var error: Fault?

        init(_ path: String, _ failure: FileFailure) {
            self.path = path
            error = Fault(failure)
        }

        init(_ inspection: Inspection) {
            path = inspection.path
            kind = inspection.kind.rawValue
            name = inspection.name
            version = inspection.version
            facts = Dictionary(inspection.facts.map { ($0.name, $0.value) }) { "\($0), \($1)" }
            digests = inspection.digests.map {
                Check(subject: $0.subject, algorithm: $0.algorithm, value: $0.value, state: $0.state.rawValue)
            }
            signatures = inspection.signatures.map {
                Maker(signer: $0.signer, created: $0.createdText, algorithm: $0.algorithm)
            }
            claim = inspection.claim
            targets = inspection.targets.map {
                Taker(name: $0.name, accepts: $0.accepts, objections: $0.objections)
            }
            problems = inspection.problems
        }

        /// For JSON lines.
        var asLine: Inspected {
            var line = self
            line.schema = Documents.schema
            return line
        }
    }
}
