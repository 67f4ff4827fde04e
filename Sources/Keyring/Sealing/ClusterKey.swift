// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Secrets

/// A cluster key, unwrapped: it seals private halves and authenticates rows. Two keys are derived from its 32 bytes, and
/// the bytes themselves are let go of.
public final class ClusterKey: Sendable {
    public let id: ClusterKeyID
    public let plane: Plane
    let sealing: SecretBytes
    let authenticating: SecretBytes

    public static let count = 32

    init(id: ClusterKeyID, plane: Plane, _ secret: consuming SecretBytes) throws {
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
}
