// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Signatures

/// What is told while a run goes on, from any thread.
public enum SigningEvent: Sendable {
    /// So many files have been met in all.
    case found(Int)
    /// No server can be reached just now, and why; told every few seconds while the client goes on trying.
    case waiting(ErrorCode, String)
    /// A file is done with; told once for each.
    case finished(FileOutcome)
}

/// What became of one file.
public struct FileOutcome: Hashable, Sendable {
    public enum Result: Hashable, Sendable {
        /// By the server of that name; nil in a dry run.
        case signed(server: String?)
        /// It had a good signature of the key already.
        case alreadySigned
        /// It had a signature, whoever made it, and such files were to be left alone.
        case hasSignature
        /// Its signatures were to be taken away, and it had none.
        case hasNoSignature
        /// In a folder and nothing that was to be signed.
        case passedOver
        case failed(ErrorCode, String)
        /// The run was stopped before; the file is as it was.
        case interrupted
    }

    public var path: String
    /// None for a file that could not be read.
    public var kind: SigningKind?
    /// The file that has the signature, if that is another one.
    public var output: String?
    /// How often the job was sent.
    public var attempts = 0
    public var result: Result
}

/// The counts of a run.
public struct SigningSummary: Hashable, Sendable {
    public private(set) var signed = 0
    public private(set) var alreadySigned = 0
    public private(set) var passedOver = 0
    public private(set) var interrupted = 0
    /// How often each error happened.
    public private(set) var failures: [ErrorCode: Int] = [:]
    /// How many signatures each server made.
    public private(set) var servers: [String: Int] = [:]
    /// Jobs that were sent more than once.
    public private(set) var retried = 0

    public init() {}

    public var failed: Int { failures.values.reduce(0, +) }

    public mutating func add(_ outcome: FileOutcome) {
        if outcome.attempts > 1 { retried += 1 }
        switch outcome.result {
        case .signed(let server):
            signed += 1
            if let server { servers[server, default: 0] += 1 }
        case .alreadySigned, .hasSignature: alreadySigned += 1
        case .passedOver, .hasNoSignature: passedOver += 1
        case .failed(let code, _): failures[code, default: 0] += 1
        case .interrupted: interrupted += 1
        }
    }
}
