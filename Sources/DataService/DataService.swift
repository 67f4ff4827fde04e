// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// DataService is what a data-server does: it takes jobs over `signet.v1.Signing`, judges them, signs in memory, records
/// each signature and then gives it away.
///
/// The life of a job (`SigningJob`): the client's identity from his certificate, his grant and the key's state (`Gate`),
/// a look at the claim, the permit, the digest on the client's loop, the signature on the queue that all loops share, its
/// record, the reply. What that needs stands beside it: `RevisionWatch` reads what may be done and sees changes within
/// a second, `KeyCache` holds unsealed keys, `RecordWriter` writes the rows of concurrent jobs together and lets no
/// signature go before its row is committed, `SigningService` is the handler of the calls, `DataServer` all of it from
/// settings to the end.
///
/// It refuses: clients without a name or a grant, keys that may not sign, content that is not what its kind says, more
/// jobs than its limits allow, and to sign while its clock is wrong. While database or key service are away jobs wait, but
/// not beyond their deadline.
///
/// ```swift
/// let server = try await DataServer(settings, keys: storage, records: storage, wrapping: kms, log: log)
/// // ... until SIGTERM:
/// await server.drain()
/// ```
public struct DataServiceError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    /// How long to wait before another try, when one makes sense.
    public let retryAfter: Duration?

    init(_ code: ErrorCode, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    public var description: String { "\(code.id): \(message)" }
}
