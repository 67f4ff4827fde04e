// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Signatures

/// A key without its private half.
///
/// The constants are given at birth and bound into the sealed private half; the variables change with the row and stand
/// under its authentication code.
public struct KeyRecord: Hashable, Sendable {
    public let id: KeyID
    public let scheme: SigningScheme
    public let purpose: KeyPurpose
    public let algorithm: KeyAlgorithm
    /// Counted from 1; a key that is renewed with another private half gets the next.
    public let version: UInt32
    /// SubjectPublicKeyInfo, DER.
    public let publicKey: [UInt8]
    /// Of an OpenPGP key its version 4 fingerprint, of any other the SHA-256 of `publicKey`.
    public let fingerprint: [UInt8]
    public let created: Moment
    /// The authority or OpenPGP primary that certified this one.
    public let parent: KeyID?
    /// Whose private key it is; `nil` for a public one.
    public let owner: UserID?

    public var name: KeyName
    public var summary: String
    public var state: KeyState
    public var expires: Moment?
    /// Enabling it, and grants that name it, take approvals.
    public var isGuarded = false
    /// The certificate's DER, or the OpenPGP certificate, not armored; empty before there is one.
    public var certificate: [UInt8]

    public static let largestCertificate = 1 << 18
    public static let longestSummary = 200

    /// A new key, or a row that was read.
    public init(
        id: KeyID, scheme: SigningScheme, purpose: KeyPurpose, algorithm: KeyAlgorithm, version: UInt32 = 1,
        publicKey: [UInt8], fingerprint: [UInt8], created: Moment, parent: KeyID? = nil, owner: UserID? = nil,
        name: KeyName, summary: String = "", state: KeyState, expires: Moment?, certificate: [UInt8] = []
    ) throws {
        self.id = id
        self.scheme = scheme
        self.purpose = purpose
        self.algorithm = algorithm
        self.version = version
        self.publicKey = publicKey
        self.fingerprint = fingerprint
        self.created = created
        self.parent = parent
        self.owner = owner
        self.name = name
        self.summary = summary
        self.state = state
        self.expires = expires
        self.certificate = certificate
        try check()
    }

    /// SHA-256 of the public key: unique over all rows, those of destroyed keys too.
    public var publicKeyDigest: Digest { Digest(hashing: publicKey.span, with: .sha256) }

    public func isExpired(at now: Moment) -> Bool { expires.map { $0 <= now } ?? false }

    /// The record after an action, or the reason why it is not legal.
    public func applying(_ action: KeyAction) throws(KeyringError) -> KeyRecord {
        guard let next = state.after(action) else {
            throw KeyringError(
                .keyStateForbids,
                "the key \(name) is \(state.rawValue), and in this state \(action.rawValue) is not possible")
        }
        var record = self
        record.state = next
        return record
    }
}

/// What a key's signatures are over.
public enum KeyPurpose: String, CaseIterable, Sendable {
    /// Artifacts.
    case signing
    /// Other keys: X.509 authorities, and OpenPGP primaries that have a signing subkey. They are sealed for the control
    /// plane alone.
    case certifying
}

extension KeyRecord {
    private func check() throws {
        guard version > 0 else { throw Self.invalid("version: versions count from 1") }
        guard scheme.takes(algorithm) else {
            throw Self.invalid("algorithm: \(scheme.rawValue) does not take \(algorithm.rawValue) keys")
        }
        guard scheme != .ca || purpose == .certifying else {
            throw Self.invalid("purpose: a key of the scheme ca certifies")
        }
        guard purpose == .signing || scheme == .ca || scheme == .openpgp else {
            throw Self.invalid("purpose: a key of the scheme \(scheme.rawValue) does not certify")
        }
        let expected = scheme == .openpgp ? 20 : 32
        guard fingerprint.count == expected else {
            throw Self.invalid("fingerprint: \(fingerprint.count) bytes, expected \(expected)")
        }
        guard scheme == .openpgp || publicKeyDigest.bytes == fingerprint else {
            throw Self.invalid("fingerprint: it is not the SHA-256 of the public key")
        }
        guard try PublicKey(spki: publicKey.span).algorithm == algorithm else {
            throw Self.invalid("public key: it is not of the algorithm \(algorithm.rawValue)")
        }
        guard summary.utf8.count <= 4 * Self.longestSummary,
            summary.unicodeScalars.count <= Self.longestSummary
        else { throw Self.invalid("description: more than \(Self.longestSummary) characters") }
        guard certificate.count <= Self.largestCertificate else {
            throw KeyringError(.tooLarge, "certificate: more than \(Self.largestCertificate) bytes")
        }
        guard (owner == nil) == (name.owner == nil) else {
            throw Self.invalid("name: a private key's name has its owner in front, a public one's has none")
        }
    }

    private static func invalid(_ message: String) -> KeyringError { KeyringError(.invalidArgument, message) }
}
