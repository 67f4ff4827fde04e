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
        /// A file, and the bytes for which room is kept while it is read.
        case read(FileWalk.Step, room: Int)
        case write(Answer)
        /// Nothing is left for this thread.
        case end
    }

    private let limits: (jobs: Int, memory: Int)
    private var walk: FileWalk
    private var next: FileWalk.Step?
    /// Files that turned out to need more room than was kept for them.
    private var large: [(step: FileWalk.Step, room: Int)] = []
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
        if isStopped { return underWay == 0 }
        if let first = large.first { return hasRoom(first.room) }
        guard let next else { return underWay == 0 }
        return underWay == 0 || underWay < limits.jobs && hasRoom(next.leastRoom)
    }

    /// What is larger than the limit goes alone.
    private func hasRoom(_ count: Int) -> Bool { memory == 0 || memory + count <= limits.memory }

    /// Answers first, so that what is under way becomes less.
    mutating func take() -> Step {
        if !answers.isEmpty { return .write(answers.removeFirst()) }
        guard !isStopped else { return .end }
        if !large.isEmpty {
            let file = large.removeFirst()
            memory += file.room
            return .read(file.step, room: file.room)
        }
        guard let step = next else { return .end }
        underWay += 1
        memory += step.leastRoom
        advance()
        return .read(step, room: step.leastRoom)
    }

    /// The room that was kept for reading is free. With `needed` the file was not read and waits for more.
    mutating func wasRead(_ step: FileWalk.Step, room: Int, needed: Int? = nil) {
        memory -= room
        guard let needed else { return }
        if isStopped { underWay -= 1 } else { large.append((step, needed)) }
    }

    /// A job goes to the servers.
    mutating func sent(_ artifact: Artifact) { memory += artifact.claim.memory }

    mutating func answered(_ answer: Answer) { answers.append(answer) }

    /// A file is done with; `artifact` if it had been sent.
    mutating func finished(_ artifact: Artifact?) {
        underWay -= 1
        if let artifact { memory -= artifact.claim.memory }
    }

    mutating func stop() {
        isStopped = true
        underWay -= large.count
        large = []
    }
}

extension FileWalk.Step {
    /// Room for every file before it is known: many a claim is no larger.
    var leastRoom: Int {
        guard case .file(_, let size, _) = self else { return 0 }
        return min(size, Claim.genericContentLimit)
    }
}

extension Claim {
    /// Roughly what it holds.
    var memory: Int {
        if case .bytes(let bytes) = content { bytes.count + 500 } else { 500 }
    }
}
