// SPDX-License-Identifier: Apache-2.0

/// One entry of the vocabulary of errors that every program of the house speaks: over REST, over gRPC, on the command
/// line and in the log, the same fault has the same id.
///
/// The entries are static members, one file a room in `Vocabulary/`; there is no other way to make one.
public struct ErrorCode: Hashable, Sendable {
    /// Stable and machine-readable, like `key-disabled`.
    public let id: String
    /// What happened and why, in one sentence for a person.
    public let cause: String
    /// What the reader can do about it.
    public let remedy: String
    public let category: Category

    init(_ id: String, _ category: Category, cause: String, remedy: String) {
        self.id = id
        self.category = category
        self.cause = cause
        self.remedy = remedy
    }

    public static func == (one: ErrorCode, other: ErrorCode) -> Bool { one.id == other.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// An error that has its place in the vocabulary.
public protocol CodedError: Error {
    var code: ErrorCode { get }
    /// What went wrong this time, naming the file, field or peer. It is shown to users and holds no secret.
    var message: String { get }
}
