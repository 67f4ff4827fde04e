// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics
public import Secrets

/// What the database knows of a token: never the token, only its SHA-256.
///
/// ```
/// token = "signet-" 64HEXDIG     ; 32 random bytes, lower case
/// ```
/// With 256 random bits there is nothing to guess, so one round of hashing is enough.
public struct APIToken: Hashable, Sendable {
    public let id: TokenID
    public let user: UserID
    public let summary: String
    /// SHA-256 of the token's text.
    public let digest: Digest
    public let created: Moment
    public let expires: Moment
    public let scopes: Set<TokenScope>
    /// When it was presented last, to the minute or so; `nil` when it never was.
    public var lastUsed: Moment?

    public static let longestLife: Duration = .seconds(366 * 86_400)

    public init(
        id: TokenID, user: UserID, summary: String, digest: Digest, created: Moment, expires: Moment,
        scopes: Set<TokenScope> = .all, lastUsed: Moment? = nil
    ) throws(KeyringError) {
        guard !scopes.isEmpty else {
            throw KeyringError(.invalidArgument, "scopes: a token is for something")
        }
        guard summary.unicodeScalars.count <= KeyRecord.longestSummary else {
            throw KeyringError(
                .invalidArgument, "description: more than \(KeyRecord.longestSummary) characters")
        }
        guard digest.algorithm == .sha256 else {
            throw KeyringError(.invalidArgument, "token: it is kept as its SHA-256")
        }
        guard created < expires, expires <= created + Self.longestLife else {
            throw KeyringError(.invalidArgument, "expires: a token lives for up to 366 days")
        }
        self.id = id
        self.user = user
        self.summary = summary
        self.digest = digest
        self.created = created
        self.expires = expires
        self.scopes = scopes
        self.lastUsed = lastUsed
    }

    public func isExpired(at now: Moment) -> Bool { expires <= now }

    /// Its last use is written down at most so often.
    public static let useInterval: Duration = .seconds(60)

    /// Whether its use now is worth writing down.
    public func isUseNews(at now: Moment) -> Bool { lastUsed.map { $0 + Self.useInterval <= now } ?? true }

    /// What to look a presented token up by; `nil` for what cannot be one.
    public static func digest(ofPresented text: Span<UInt8>) -> Digest? {
        let start = Array(prefix.utf8)
        guard text.count == start.count + 64,
            ConstantTime.areEqual(text.extracting(..<start.count), start.span)
        else { return nil }
        return Digest(hashing: text, with: .sha256)
    }

    static let prefix = "signet-"
}

/// A token just made, with its text, which is shown once and kept nowhere.
public struct NewAPIToken: ~Copyable, Sendable {
    public let token: APIToken
    /// ASCII.
    public let text: SecretBytes

    public static func make(
        for user: UserID, summary: String, created: Moment, life: Duration, scopes: Set<TokenScope> = .all
    ) throws -> NewAPIToken {
        let random = try Random.secret(32)
        let start = Array(APIToken.prefix.utf8)
        let text = try SecretBytes(capacity: start.count + 64) { output in
            for byte in start { output.append(byte) }
            let random = random.bytes
            for index in random.indices {
                output.append(digit(random[index] >> 4))
                output.append(digit(random[index] & 15))
            }
        }
        let token = try APIToken(
            id: .random(), user: user, summary: summary, digest: digest(of: text),
            created: created, expires: created + life, scopes: scopes)
        return NewAPIToken(token: token, text: text)
    }

    private static func digest(of text: borrowing SecretBytes) -> Digest {
        Digest(hashing: text.bytes, with: .sha256)
    }

    /// Without a branch that depends on the value.
    private static func digit(_ value: UInt8) -> UInt8 { value &+ 0x30 &+ ((9 &- value) >> 7) &* 0x27 }

    private init(token: APIToken, text: consuming SecretBytes) {
        self.token = token
        self.text = text
    }
}
