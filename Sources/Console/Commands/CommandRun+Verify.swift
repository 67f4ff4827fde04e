// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Settings
internal import Signatures
internal import Verification

extension CommandRun {
    /// Judges files offline, with the keys of files that are named.
    func verify() throws -> Int32 {
        var keys = TrustedKeys()
        for path in invocation.texts("key") {
            let bytes = try InputFile.read(path, limit: 16 << 20)
            try keys.add(contentsOf: bytes.span, name: path)
        }
        let detached = try invocation.text("signature").map { try InputFile.read($0, limit: 1 << 20) }
        let paths = invocation.arguments("FILE")
        guard detached == nil || paths.count == 1 else {
            throw ConsoleError(
                .badArguments, "signet verify: --signature is for one file",
                remedy: "Name one file, or leave the option out: FILE.asc is found beside FILE.")
        }
        let kind =
            invocation.flag("detached") || detached != nil && invocation.text("kind") == nil
            ? SigningKind.generic : invocation.text("kind").flatMap { SigningKind(rawValue: $0) }
        var style = RunReporter.Style()
        style.doneWord = "good"
        style.command = "verify"
        style.form = form
        style.isVerbose = invocation.flag("verbose")
        let reporter = RunReporter(style, on: screen, now: program.now)
        reporter.found(files: paths.count)
        for path in paths {
            reporter.finished(judge(path, kind, keys, detached))
            reporter.tick()
        }
        return reporter.end()
    }

    private func judge(
        _ path: String, _ kind: SigningKind?, _ keys: TrustedKeys, _ detached: [UInt8]?
    ) -> FileReport {
        do {
            let verdict = try FileVerdict(
                of: path, as: kind, by: keys, at: program.wallClock(), detached: detached)
            if let error = VerificationError(verdict) { throw error }
            let signer = verdict.signatures.first(where: \.isValid)?.signer
            return FileReport(path, kind: verdict.kind.rawValue, .signed(by: signer))
        } catch {
            var failure = FileFailure(error)
            // A file that is not what was signed, or a signature that is none: as bad as a wrong one.
            if [.artifactCorrupt, .signatureMalformed].contains(failure.code) {
                failure.code = .signatureRefused
            }
            return FileReport(path, kind: kind?.rawValue, .failed(failure))
        }
    }
}
