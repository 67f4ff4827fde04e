// SPDX-License-Identifier: Apache-2.0

public import Cryptography
public import Diagnostics
public import Signatures
public import Transport

/// SigningClient has files signed: it walks paths, reads what must be signed, deals the jobs over all data-servers,
/// puts the signatures into the files and looks whether they are there.
///
/// Files are read and written by a few threads, and jobs travel on a few streams to each server. Of all this only so
/// much is under way at once that memory does not depend on how many files there are or how large. A job that a server
/// does not answer, or refuses for the moment, goes to another server under the same id, until its time is over; a
/// signature is verified with the key's public part before it is written. When a run is stopped, each file is as it was
/// or signed.
///
/// It refuses: signatures that do not verify, files that changed meanwhile, files that another key has signed, unless
/// these are to be signed anew.
///
/// ```swift
/// let client = SigningClient(settings, on: loops.next())
/// try await client.sign(SigningOrder(paths: ["dist"], key: "release")) { event in
///     if case .finished(let outcome) = event { print(outcome.path, outcome.result) }
/// }
/// ```
public struct SigningClientError: CodedError, Hashable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}

/// Where the data-servers are, and how much is under way at once. Every field but the first two has a working value.
public struct SigningClientSettings: Sendable {
    public var servers: [Endpoint]
    public var security: Security
    /// Files under way: being read, sent or written.
    public var jobs = 128
    /// Streams to each server.
    public var streams = 2
    /// Threads that read and write files. They wait for the disk most of the time, and a file system syncs the files
    /// of many at once.
    public var threads = 16
    /// Bytes of claims under way: kernel modules are claimed whole, of other files little is held.
    public var memory = 64 << 20
    /// How long one server may take for a job before another one is asked.
    public var timeout = Duration.seconds(30)
    /// How long a job is tried at all.
    public var retryFor = Duration.seconds(300)
    /// In which order the servers are taken. Each client has an order of its own, so that many clients with a file each
    /// spread over all servers as one client with many files does.
    public var order: @Sendable ([Endpoint]) -> [Endpoint] = { $0.shuffled() }
    /// Seconds since 1970, for judging signatures.
    public var now: @Sendable () -> Int64 = { WallTime.now().seconds }

    public init(servers: [Endpoint], security: Security) {
        self.servers = servers
        self.security = security
    }
}

/// What is to be signed.
public struct SigningOrder: Hashable, Sendable {
    /// Files, and folders for all that is in them.
    public var paths: [String]
    /// Name or id.
    public var key: String
    /// Nil: each file is recognised, and in folders what the key does not sign is passed over.
    public var kind: SigningKind?
    /// Where detached signatures go; nil for beside the file.
    public var folder: String?
    /// Whether kernel modules get their signature in a file of its own; other kinds have theirs where it belongs.
    public var isDetached = false
    /// Whether OpenPGP signatures beside files are written as packets, without armor.
    public var isBinary = false
    /// Whether files that the key has signed are signed anew. Where signatures stand inside of a package, a module or an
    /// image, those of other keys give way then; beside a file, or around a text, they stay.
    public var resigns = false
    /// Whether files that anybody has signed are left alone, and not only those that the key has signed.
    public var leavesSigned = false
    /// Whether of packages header and payload are signed together, as rpm before 4.14 did it.
    public var signsPayload = false
    /// Where the new signature headers of packages go, which stay as they are themselves; nil to sign them.
    public var headerFolder: String?
    /// What CMS signatures bring along, so that whoever verifies them sees that their certificates were not revoked then.
    public var revocationLists: [CertificateRevocationList] = []
    /// Whether files are only read, and what would be done is told.
    public var isDry = false

    public init(paths: [String], key: String) {
        self.paths = paths
        self.key = key
    }
}
