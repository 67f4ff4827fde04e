// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Diagnostics
internal import Signatures
internal import SigningProtocol
internal import Transport

/// One run over the files of an order: threads that read claims and write signatures, with the servers in between.
final class SigningRun: Sendable {
    private let order: SigningOrder
    private let settings: SigningClientSettings
    private let check: SignerCheck
    private let dispatch: DispatchHandle
    private let listener: @Sendable (SigningEvent) -> Void
    private let board: Lock<WorkBoard>
    private let writer = PatchWriter(inPlace: true)
    private let summary = Lock(SigningSummary())

    init(
        _ order: SigningOrder, _ settings: SigningClientSettings, _ check: SignerCheck,
        _ dispatch: DispatchHandle,
        _ listener: @escaping @Sendable (SigningEvent) -> Void
    ) {
        self.order = order
        self.settings = settings
        self.check = check
        self.dispatch = dispatch
        self.listener = listener
        board = Lock(WorkBoard(FileWalk(order.paths), jobs: settings.jobs, memory: settings.memory))
    }

    /// Looks at the order as a whole, before the first file.
    func prepare() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let worker: @Sendable () -> Void = { [self] in
                continuation.resume(with: Result { try TargetCheck.check(order, check.kinds) })
            }
            do { try Thread.detach(named: "files", worker) } catch { worker() }
        }
    }

    func run() async -> SigningSummary {
        await withTaskGroup { group in
            for _ in 0..<max(1, settings.threads) {
                group.addTask { [self] in
                    await withCheckedContinuation { continuation in
                        let worker: @Sendable () -> Void = { [self] in
                            work()
                            continuation.resume()
                        }
                        // Without a thread the work is done here, slower.
                        do { try Thread.detach(named: "files", worker) } catch { worker() }
                    }
                }
            }
        }
        return summary.withLock { $0 }
    }

    /// No file is begun any more; those under way end as they were or signed.
    func stop() {
        board.withLock { $0.stop() }
        board.wakeAll()
        dispatch.stop()
    }

    private func work() {
        while true {
            let step = board.withLock(when: { $0.hasStep }) { $0.take() } ?? .end
            switch step {
            case .read(let file, let room):
                let needed = read(file, room)
                board.withLock { $0.wasRead(file, room: room, needed: needed) }
                board.wakeAll()
            case .write(let answer): write(answer)
            case .end: return board.wakeAll()
            }
        }
    }

    // MARK: Reading

    /// Nil when the file was dealt with; else the room that it takes.
    private func read(_ step: FileWalk.Step, _ room: Int) -> Int? {
        switch step {
        case .file(let path, _, let isNamed): return read(path, isNamed, room)
        case .unreadable(let path, let number):
            let error = FileWalk.error(path, number)
            finish(FileOutcome(path: path, result: .failed(error.code, error.message)))
            return nil
        }
    }

    private func read(_ path: String, _ isNamed: Bool, _ room: Int) -> Int? {
        let found = board.withLock { $0.found }
        listener(.found(found))
        do {
            if !order.isDry { try writer.recover(folderOf: path) }
            let found = try Artifact.survey(of: path)
            let kind = order.kind(of: found.kind, by: check.kinds)
            guard isNamed || order.takes(found.kind, as: kind) && check.kinds.contains(kind) else {
                finish(FileOutcome(path: path, kind: found.kind, result: .passedOver))
                return nil
            }
            let isSame = kind == found.kind || kind.isPackage && found.kind.isPackage
            let needed = isSame ? found.memory : try Artifact.survey(of: path, as: kind).memory
            guard needed <= room else { return needed }
            if let outcome = try outcome(ofReading: path, as: kind) { finish(outcome) }
        } catch let error as ArtifactError where error.code == .artifactUnrecognised && !isNamed {
            // A signature that lies beside its file.
            finish(FileOutcome(path: path, result: .passedOver))
        } catch {
            finish(Self.outcome(of: path, nil, error))
        }
        return nil
    }

    /// Nil when the file goes to the servers.
    private func outcome(ofReading path: String, as kind: SigningKind) throws -> FileOutcome? {
        let artifact = try Artifact(
            reading: path, as: kind, digest: check.digest, signaturesIn: order.folder,
            form: order.form(of: kind))
        guard check.kinds.contains(artifact.kind) else {
            throw SigningClientError(
                .permissionDenied,
                "\(path): key \(order.key) does not sign files of kind \(artifact.kind.rawValue)")
        }
        if !order.resigns, isSigned(artifact) {
            return FileOutcome(path: path, kind: artifact.kind, result: .alreadySigned)
        }
        if order.leavesSigned,
            try Artifact.isSigned(
                path, as: artifact.kind, in: order.folder, form: order.form(of: artifact.kind))
        {
            return FileOutcome(path: path, kind: artifact.kind, result: .hasSignature)
        }
        if order.isDry { return FileOutcome(path: path, kind: artifact.kind, result: .signed(server: nil)) }
        try send(artifact)
        return nil
    }

    private func isSigned(_ artifact: Artifact) -> Bool {
        let now = settings.now()
        return artifact.signatures.contains { check.refusal(of: $0, on: artifact.claim, at: now) == nil }
    }

    private func send(_ artifact: Artifact) throws {
        let claim: SignRequest.Claim
        var digest = ""
        switch artifact.claim.content {
        case .bytes(let bytes): claim = .content(bytes)
        case .midstate(let midstate):
            claim = .midstate(midstate.encoded)
            digest = midstate.algorithm.rawValue
        case .image(let image):
            claim = .image(digest: image.digest.bytes, sbat: image.sbat)
            digest = image.digest.algorithm.rawValue
        case .digest(let value):
            claim = .digest(value.bytes)
            digest = value.algorithm.rawValue
        }
        let timeout = UInt32(clamping: settings.timeout.wholeNanoseconds / 1_000_000)
        let request = SignRequest(
            job: try .random(), key: order.key, kind: artifact.kind.rawValue, claim, digest: digest,
            timeout: timeout)
        board.withLock { $0.sent(artifact) }
        dispatch.submit(
            SigningJob(request: request) { [self] result, attempts in
                answered(WorkBoard.Answer(artifact: artifact, result: result, attempts: attempts))
            })
    }

    private func answered(_ answer: WorkBoard.Answer) {
        board.withLock { $0.answered(answer) }
        board.wakeAll()
    }

    // MARK: Writing

    private func write(_ answer: WorkBoard.Answer) {
        let artifact = answer.artifact
        var outcome = FileOutcome(
            path: artifact.path, kind: artifact.kind, attempts: answer.attempts, result: .interrupted)
        do {
            let made = try answer.result.get()
            let refusal = check.refusal(of: made.signature, on: artifact.claim, at: settings.now())
            if let refusal {
                throw SigningClientError(
                    .badSignature,
                    "\(artifact.path): server \(made.server) sent a signature that does not hold (\(refusal.rawValue))"
                )
            }
            let patch = try patch(artifact, order.completed(made.signature, of: artifact.kind))
            try writer.apply(patch)
            try checkWritten(made.signature, artifact, patch)
            if patch.target != artifact.path { outcome.output = patch.target }
            outcome.result = .signed(server: made.server)
        } catch {
            outcome.result = Self.outcome(of: artifact.path, artifact.kind, error).result
        }
        finish(outcome, artifact)
    }

    private func patch(_ artifact: Artifact, _ signature: [UInt8]) throws -> Patch {
        guard let folder = order.headerFolder, artifact.kind.isPackage else {
            return try artifact.patch(embedding: signature, replacing: order.resigns)
        }
        return try artifact.patch(embeddingElsewhere: signature, in: folder, replacing: order.resigns)
    }

    /// Reads the signature back.
    private func checkWritten(_ signature: [UInt8], _ artifact: Artifact, _ patch: Patch) throws {
        if patch.isBeside { return try patch.checkWritten() }
        let written = try Artifact.signatures(
            of: artifact.path, as: artifact.kind, in: order.folder,
            form: order.form(of: artifact.kind))
        guard written.contains(signature) else {
            throw SigningClientError(
                .artifactChanged, "\(artifact.path): the signature is not there after it was written")
        }
    }

    private static func outcome(of path: String, _ kind: SigningKind?, _ error: any Error) -> FileOutcome {
        let coded = error as? any CodedError
        let code = coded?.code ?? .internalError
        let result: FileOutcome.Result =
            code == .cancelled ? .interrupted : .failed(code, coded?.message ?? "\(path): \(error)")
        return FileOutcome(path: path, kind: kind, result: result)
    }

    private func finish(_ outcome: FileOutcome, _ artifact: Artifact? = nil) {
        summary.withLock { $0.add(outcome) }
        listener(.finished(outcome))
        board.withLock { $0.finished(artifact) }
        board.wakeAll()
    }
}
