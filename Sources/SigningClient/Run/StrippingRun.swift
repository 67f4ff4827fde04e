// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Diagnostics
internal import Glibc
internal import Signatures
internal import Transport

/// Takes the signatures out of files; no server is asked.
public enum StrippingRun {
    /// Strips what the order names, file by file, and tells of each. Cancelling the task stops it between two files.
    @discardableResult
    public static func run(
        _ order: SigningOrder, telling listener: @escaping @Sendable (SigningEvent) -> Void
    ) async -> SigningSummary {
        let isStopped = Lock(false)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let worker: @Sendable () -> Void = {
                    continuation.resume(returning: strip(order, listener) { isStopped.withLock { $0 } })
                }
                // Without a thread the work is done here.
                do { try Thread.detach(named: "files", worker) } catch { worker() }
            }
        } onCancel: {
            isStopped.withLock { $0 = true }
        }
    }

    @available(*, noasync)
    private static func strip(
        _ order: SigningOrder, _ listener: (SigningEvent) -> Void, _ isStopped: () -> Bool
    ) -> SigningSummary {
        var summary = SigningSummary()
        var walk = FileWalk(order.paths)
        var found = 0
        let writer = PatchWriter(inPlace: true)
        while !isStopped(), let step = walk.next() {
            // A detached signature, gone since its folder was listed.
            if case .unreadable(let path, ENOENT) = step, !order.paths.contains(path) { continue }
            found += 1
            listener(.found(found))
            let outcome = outcome(of: step, order, writer)
            summary.add(outcome)
            listener(.finished(outcome))
        }
        return summary
    }

    @available(*, noasync)
    private static func outcome(
        of step: FileWalk.Step, _ order: SigningOrder, _ writer: PatchWriter
    ) -> FileOutcome {
        switch step {
        case .unreadable(let path, let number):
            let error = FileWalk.error(path, number)
            return FileOutcome(path: path, result: .failed(error.code, error.message))
        case .file(let path, _, let isNamed):
            var outcome = FileOutcome(path: path, result: .passedOver)
            do throws(ArtifactError) {
                if !order.isDry { try writer.recover(folderOf: path) }
                let found = try Artifact.survey(of: path).kind
                outcome.kind = order.kind ?? found
                guard isNamed || order.kind == nil || order.kind == found else { return outcome }
                let kind = order.kind ?? found
                let usual = order.form(of: kind)
                if isNamed { outcome.result = .hasNoSignature }
                for form in usual == .usual ? SignatureForm.all(of: kind) : [usual] {
                    let patch = try Artifact.patch(
                        stripping: path, as: kind, signaturesIn: order.folder, form: form)
                    guard let patch else { continue }
                    if !order.isDry { try writer.apply(patch) }
                    if patch.target != path { outcome.output = patch.target }
                    outcome.result = .signed(server: nil)
                }
            } catch {
                outcome.result = .failed(error.code, error.message)
            }
            return outcome
        }
    }
}
