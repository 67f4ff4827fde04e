// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Which processes can open what a cluster key seals.
public enum Plane: String, CaseIterable, Sendable {
    /// Data-servers and control-servers.
    case data
    /// Control-servers alone: keys that certify others.
    case control
}

extension KeyPurpose {
    /// Where the private half is sealed.
    public var plane: Plane { self == .signing ? .data : .control }
}

/// A key as a table holds it: the record, the sealed private half, and the code over what may change.
public struct StoredKey: Hashable, Sendable {
    public let record: KeyRecord
    /// `nil` when it is destroyed, or with who made it.
    public let sealed: SealedKey?
    public let code: RowCode
    /// Counted with each change of the row; 0 before it is written.
    public let edition: UInt64

    public init(record: KeyRecord, sealed: SealedKey?, code: RowCode, edition: UInt64 = 0) {
        self.record = record
        self.sealed = sealed
        self.code = code
        self.edition = edition
    }
}

/// A grant as a table holds it.
public struct StoredGrant: Hashable, Sendable {
    public let grant: Grant
    public let code: RowCode

    public init(grant: Grant, code: RowCode) {
        self.grant = grant
        self.code = code
    }
}

/// A message authentication code over a row, made with a key that is derived from a cluster key: HMAC-SHA-256.
public struct RowCode: Hashable, Sendable {
    public let clusterKey: ClusterKeyID
    public let bytes: [UInt8]

    public init(clusterKey: ClusterKeyID, bytes: [UInt8]) throws(KeyringError) {
        guard bytes.count == 32 else {
            throw KeyringError(.rowForged, "a row's authentication code has \(bytes.count) bytes, not 32")
        }
        self.clusterKey = clusterKey
        self.bytes = bytes
    }
}

/// A private half under a cluster key.
///
/// ```
/// sealed     = version cluster-key algorithm nonce ciphertext
/// version    = %x01
/// cluster-key = 16OCTET
/// algorithm  = %x01              ; AES-256-GCM
/// nonce      = 12OCTET
/// ciphertext = *OCTET 16OCTET    ; of the PKCS#8, and the tag
/// ```
public struct SealedKey: Hashable, Sendable {
    public let clusterKey: ClusterKeyID
    let nonce: [UInt8]
    let ciphertext: [UInt8]

    static let version: UInt8 = 1
    static let aes256GCM: UInt8 = 1
    static let headCount = 30
    public static let largest = 1 << 14

    init(clusterKey: ClusterKeyID, nonce: [UInt8], ciphertext: [UInt8]) {
        self.clusterKey = clusterKey
        self.nonce = nonce
        self.ciphertext = ciphertext
    }

    public init(decoding bytes: [UInt8]) throws {
        guard (Self.headCount + 16...Self.largest).contains(bytes.count) else {
            throw Self.malformed("\(bytes.count) bytes")
        }
        guard bytes[0] == Self.version else { throw Self.malformed("version \(bytes[0]) is unknown") }
        guard bytes[17] == Self.aes256GCM else { throw Self.malformed("algorithm \(bytes[17]) is unknown") }
        let id = Array(bytes[1..<17])
        clusterKey = try ClusterKeyID(id.span)
        nonce = Array(bytes[18..<30])
        ciphertext = Array(bytes[30...])
    }

    public var encoded: [UInt8] {
        [Self.version] + clusterKey.bytes + [Self.aes256GCM] + nonce + ciphertext
    }

    private static func malformed(_ reason: String) -> KeyringError {
        KeyringError(.sealBroken, "a sealed key that cannot be read: \(reason)")
    }
}

/// A cluster key as a key management service wrapped it: what a table holds.
public struct WrappedKey: Hashable, Sendable {
    public let id: ClusterKeyID
    public let plane: Plane
    /// Which provider can unwrap it.
    public let provider: String
    public let secret: WrappedSecret
    public let created: Moment

    public init(id: ClusterKeyID, plane: Plane, provider: String, secret: WrappedSecret, created: Moment) {
        self.id = id
        self.plane = plane
        self.provider = provider
        self.secret = secret
        self.created = created
    }
}
