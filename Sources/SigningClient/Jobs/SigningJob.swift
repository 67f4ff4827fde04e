// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import SigningProtocol

/// One signature to be had, whatever servers it takes.
struct SigningJob: Sendable {
    /// What a server knows the job by: the same for each attempt, so that it is signed once.
    let request: SignRequest
    /// Called on the loop, once.
    let whenDone: @Sendable (Result<MadeSignature, Failure>, _ attempts: Int) -> Void

    var id: UniqueID { request.job }
}

/// A job under way, on the loop.
final class JobUnderWay {
    let job: SigningJob
    let deadline: UInt64
    var attempts = 0
    /// The server that was asked last, to ask another one next.
    var lastServer: Int?
    var sentAt: UInt64 = 0
    /// Not before then, after a server has asked for patience.
    var notBefore: UInt64 = 0
    var lastFailure: Failure?

    init(_ job: SigningJob, deadline: UInt64) {
        self.job = job
        self.deadline = deadline
    }
}
