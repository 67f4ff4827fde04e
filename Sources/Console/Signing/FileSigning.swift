// SPDX-License-Identifier: Apache-2.0

public import Cryptography
public import Diagnostics
internal import Verification

/// Has files signed; the client's signing room satisfies it, and tests do.
public protocol FileSigning: Sendable {
    /// Signs what `order` names, and tells `listener` of each file once, in any order. It throws what stops the whole
    /// run; files of which nothing was told then are untouched.
    func sign(_ order: FileOrder, telling listener: any SigningListener) async throws
}

/// Hears how a run goes; from any thread.
public protocol SigningListener: Sendable {
    func found(files: Int)
    /// No server can sign just now, and why; it goes on being tried.
    func waiting(_ failure: FileFailure)
    func finished(_ report: FileReport)
}

/// What `signet sign` was asked to do.
public struct FileOrder: Hashable, Sendable {
    public var paths: [String]
    public var key: String
    /// Nil: recognised file by file.
    public var kind: String?
    /// Where detached signatures go; nil for beside the file.
    public var folder: String?
    /// Kernel modules get their signature in a file of its own.
    public var isDetached: Bool
    /// What has a signature already is signed anew.
    public var resigns: Bool
    /// Finds out what would be done, and touches nothing.
    public var isDry: Bool
    /// What anybody has signed is left alone.
    public var leavesSigned = false
    /// Of packages, header and payload are signed together.
    public var signsPayload = false
    /// Where signature headers of packages go, which stay as they are.
    public var headerFolder: String?
    /// What CMS signatures bring along.
    public var revocationLists: [CertificateRevocationList] = []
    /// OpenPGP signatures beside files are written as packets, without armor.
    public var isBinary = false

    public init(
        paths: [String], key: String, kind: String? = nil, folder: String? = nil, isDetached: Bool = false,
        resigns: Bool = false,
        isDry: Bool = false
    ) {
        self.paths = paths
        self.key = key
        self.kind = kind
        self.folder = folder
        self.isDetached = isDetached
        self.resigns = resigns
        self.isDry = isDry
    }
}

/// What became of one file.
public struct FileReport: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// The data-server that signed, or whose signature was found good; nil when nothing was sent, as in a dry run.
        case signed(by: String?)
        /// It was as it should be, or is nothing to sign; the reason.
        case skipped(String)
        case failed(FileFailure)
    }

    public var path: String
    /// What it was taken for.
    public var kind: String?
    /// Where the signature is, if not in the file itself.
    public var output: String?
    /// How often a server was asked.
    public var tries: Int
    public var outcome: Outcome
    /// What became of each signature, where the file was judged.
    var verdict: FileVerdict?

    public init(
        _ path: String, kind: String? = nil, output: String? = nil, tries: Int = 1, _ outcome: Outcome
    ) {
        self.path = path
        self.kind = kind
        self.output = output
        self.tries = tries
        self.outcome = outcome
    }
}

/// Why a file was not signed or does not verify.
public struct FileFailure: Hashable, Sendable {
    public var code: ErrorCode
    public var message: String
    /// What to do about it, when that is more than the code's own remedy.
    public var remedy: String?

    public init(_ code: ErrorCode, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    public init(_ error: any Error) {
        let coded = error as? any CodedError
        code = coded?.code ?? (error is CancellationError ? .cancelled : .internalError)
        message = coded?.message ?? "the program failed"
        remedy = (error as? ConsoleError)?.remedy
    }
}
