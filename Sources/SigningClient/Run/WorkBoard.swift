// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import SigningProtocol

/// What is to be done in a run, and how much of it is under way: the threads take their next step from here.
struct WorkBoard: ~Copyable {
    /// A job that the servers are done with.
    struct Answer: Sendable {
        var artifact: Artifact
        var result: Result<MadeSignature, Failure>
        var attempts: Int
    }

    enum Step: Sendable {
        case read(FileWalk.Step)
        case write(Answer)
        /// Nothing is left for this thread.
        case end
    }

    private let limits: (jobs: Int, memory: Int)
    private var walk: FileWalk
    private var next: FileWalk.Step?
    private var answers: [Answer] = []
    /// Files between the walk and their outcome.
    private var underWay = 0
    private var memory = 0
    private(set) var found = 0
    private(set) var isStopped = false

    init(_ walk: FileWalk, jobs: Int, memory: Int) {
        limits = (jobs, memory)
        self.walk = walk
        advance()
    }

    private mutating func advance() {
        next = walk.next()
        if next != nil { found += 1 }
    }

    var hasStep: Bool {
        if !answers.isEmpty { return true }
        if isStopped || next == nil { return underWay == 0 }
        return mayRead
    }

    private var mayRead: Bool {
        underWay == 0 || underWay < limits.jobs && memory + (next?.memory ?? 0) <= limits.memory
    }

    /// Answers first, so that what is under way becomes less.
    mutating func take() -> Step {
        if !answers.isEmpty { return .write(answers.removeFirst()) }
        guard !isStopped, let step = next else { return .end }
        underWay += 1
        memory += step.memory
        advance()
        return .read(step)
    }

    /// The room that was kept for reading is free.
    mutating func wasRead(_ step: FileWalk.Step) { memory -= step.memory }

    /// A job goes to the servers.
    mutating func sent(_ artifact: Artifact) { memory += artifact.claim.memory }

    mutating func answered(_ answer: Answer) { answers.append(answer) }

    /// A file is done with; `artifact` if it had been sent.
    mutating func finished(_ artifact: Artifact?) {
        underWay -= 1
        if let artifact { memory -= artifact.claim.memory }
    }

    mutating func stop() { isStopped = true }
}

extension FileWalk.Step {
    /// What a file's claim holds at most: a module is claimed whole, of others a MiB or a header.
    var memory: Int {
        guard case .file(let path, let size, _) = self else { return 0 }
        return min(size, path.hasSuffix(".ko") ? Claim.contentLimit : Claim.genericContentLimit)
    }
}

extension Claim {
    /// Roughly what it holds.
    var memory: Int {
        if case .bytes(let bytes) = content { bytes.count + 500 } else { 500 }
    }
}
