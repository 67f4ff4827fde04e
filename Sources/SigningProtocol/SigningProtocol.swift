// SPDX-License-Identifier: Apache-2.0

/// SigningProtocol is what a client and a data-server say to one another: the messages of
/// `proto/signet/v1/signing.proto`, the methods of the service `signet.v1.Signing`, and how errors cross.
///
/// A message decodes only into values that keep the limits of the `.proto`; whether kind, digest and midstate are known
/// ones is for the server to say in the job's own reply. `Failure` is an error of the vocabulary on the wire: its code
/// survives both ways, one that this side does not know keeps its words and its place.
///
/// It refuses: messages over `SigningLimits`, jobs without an id of 16 bytes, replies that are neither signature nor
/// failure. Such a message ends the call.
///
/// The server's half:
///
/// ```swift
/// struct Signer: SigningHandler {
///     func sign(_ call: SignCall) async throws {
///         while let request = try await call.next() {
///             let outcome: SignReply.Outcome = await .init { try await signature(for: request, as: call.peer) }
///             try await call.send(SignReply(job: request.job, outcome))
///         }
///     }
///     ...
/// }
/// let server = Server([.signing(Signer()), health.service], limits: SigningLimits.server)
/// ```
///
/// and the client's, on a loop:
///
/// ```swift
/// let signing = SigningChannel(Channel(to: endpoints, on: loop, settings))
/// let stream = try await signing.sign()
/// for file in files { try await stream.send(SignRequest(job: .random(), key: "release", kind: "rpm", file.claim)) }
/// stream.finishSending()
/// while let reply = try await stream.next() { embed(try reply.outcome.get(), into: reply.job) }
/// ```
public enum SigningLimits {
    /// Bytes of content in one message; what is larger goes in parts.
    public static let part = 1 << 20
    /// Bytes of one message.
    public static let message = part + 4096
    public static let name = 256
    public static let kind = 32
    public static let digest = 16
    public static let midstate = 256
    public static let contentDigest = 64
    public static let sbat = 16 << 10
    public static let signature = 64 << 10
    public static let certificate = 256 << 10
    public static let code = 64
    public static let failureMessage = 2048
    /// Keys of one page.
    public static let page = 100
    public static let kinds = 32

    /// What the service is called, for health too.
    public static let serviceName = "signet.v1.Signing"
}
