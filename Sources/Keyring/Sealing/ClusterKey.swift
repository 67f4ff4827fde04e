// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Secrets

/// A cluster key, unwrapped: it seals private halves and authenticates rows. Two keys are derived from its 32 bytes, and
/// the bytes themselves are let go of.
///
/// ```swift
/// let (key, wrapped) = try await ClusterKey.make(.data, wrappedBy: kms, at: now)
/// let again = try await wrapped.unwrapped(by: kms)
/// ```
public final class ClusterKey: Sendable {
    public let id: ClusterKeyID
    public let plane: Plane
    let sealing: SecretBytes
    private let authenticating: SecretBytes

    static let count = 32

    fileprivate init(id: ClusterKeyID, plane: Plane, _ secret: borrowing SecretBytes) throws {
        guard secret.count == Self.count else {
            throw KeyringError(
                .sealBroken, "the cluster key \(id) has \(secret.count) bytes, not \(Self.count)")
        }
        self.id = id
        self.plane = plane
        let salt = id.bytes
        let seal = Array("signet seal 1".utf8)
        let authenticate = Array("signet row code 1".utf8)
        sealing = try HKDF.derive(32, from: secret, salt: salt.span, info: seal.span, with: .sha256)
        authenticating = try HKDF.derive(
            32, from: secret, salt: salt.span, info: authenticate.span, with: .sha256)
    }

    /// A new cluster key, and what to keep of it.
    public static func make(_ plane: Plane, wrappedBy kms: any KeyWrapping, at now: Moment) async throws -> (
        key: ClusterKey, wrapped: WrappedKey
    ) {
        let id = try ClusterKeyID.random()
        let secret = try Random.secret(count)
        let wrapped = try await kms.wrap(secret, associatedData: WrappedKey.associatedData(id, plane))
        return (
            try ClusterKey(id: id, plane: plane, secret),
            WrappedKey(id: id, plane: plane, provider: kms.provider, secret: wrapped, created: now)
        )
    }

    // MARK: Rows

    /// The code of a row's canonical bytes.
    func code(of row: [UInt8]) throws -> RowCode {
        try RowCode(
            clusterKey: id, bytes: HMAC.code(for: row.span, key: authenticating, with: .sha256))
    }

    func check(_ code: RowCode, of row: [UInt8], _ what: String) throws {
        guard code.clusterKey == id else {
            throw KeyringError(.rowForged, "\(what) is authenticated with the cluster key \(code.clusterKey)")
        }
        guard try HMAC.isValid(code.bytes.span, for: row.span, key: authenticating, with: .sha256) else {
            throw KeyringError(.rowForged, "\(what) was changed past the control plane")
        }
    }
}

extension WrappedKey {
    /// Opens it with the service that wrapped it.
    public func unwrapped(by kms: any KeyWrapping) async throws -> ClusterKey {
        guard kms.provider == provider else {
            throw KeyringError(
                .sealBroken,
                "the cluster key \(id) was wrapped by \(provider), the settings name \(kms.provider)")
        }
        let opened = try await kms.unwrap(secret, associatedData: Self.associatedData(id, plane))
        return try ClusterKey(id: id, plane: plane, opened)
    }

    /// So that a row of one plane does not open in the other.
    static func associatedData(_ id: ClusterKeyID, _ plane: Plane) -> [UInt8] {
        var writer = CanonicalWriter("signet cluster key 1")
        writer.write(id.bytes)
        writer.write(plane.rawValue)
        return writer.bytes
    }
}
