// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
public import Diagnostics
internal import KMS
internal import Keyring
public import MariaDB
public import Storage

/// The registers over the database and the key service that the settings name: what `control-server` serves and
/// `control-admin` changes by hand.
public struct ControlPlane: Sendable {
    public let pool: DatabasePool
    public let storage: ControlStorage
    public let ring: ClusterKeyRing
    public let keys: KeyRegister
    public let users: UserRegister
    public let grants: GrantRegister
    public let approvals: ApprovalRegister
    public let records: RecordRegister
    public let rotation: Rotation

    /// Opens the key service and the pool; refuses a schema that this release does not know.
    public static func open(_ settings: ControlSettings, clock: @escaping Clock, log: Log) async throws
        -> ControlPlane
    {
        let wrapping = try settings.keyService.open(in: settings.environment, log: log)
        let certifying = try settings.certifyingService?.open(in: settings.environment, log: log)
        var limits = PoolLimits()
        limits.size = settings.connections
        let pool = try DatabasePool(settings.database, limits: limits)
        try await SchemaVersion.check(pool)
        return ControlPlane(settings, pool, (wrapping, certifying), clock)
    }

    private init(
        _ settings: ControlSettings, _ pool: DatabasePool,
        _ wrapping: (data: any KeyWrapping, control: (any KeyWrapping)?),
        _ clock: @escaping Clock
    ) {
        self.pool = pool
        storage = ControlStorage(pool)
        ring = ClusterKeyRing(
            store: storage, wrapping: wrapping.data, certifying: wrapping.control,
            sharesKeys: settings.environment == .development)
        keys = KeyRegister(keys: storage, ring: ring, rules: settings.service.approvals, clock: clock)
        users = UserRegister(
            users: storage, ballot: keys.ballot, tokenLife: settings.service.tokenLife)
        grants = GrantRegister(grants: storage, keys: storage, ballot: keys.ballot)
        approvals = ApprovalRegister(
            keys: keys, freezes: FreezeRegister(freezes: storage, keys: keys), users: users, grants: grants)
        records = RecordRegister(records: storage, audit: storage)
        rotation = Rotation(stores: storage, ring: ring, rules: settings.rotation, clock: clock)
    }

    /// What `/readyz` asks.
    public func readiness(clock: @escaping Clock) -> Readiness {
        let (storage, ring) = (storage, ring)
        return Readiness(
            [
                (
                    "database",
                    {
                        let difference = try await storage.pulse().time - clock()
                        guard abs(difference.components.seconds) <= Self.clockLimit else {
                            throw ControlError(.unavailable, "the clock differs from the database's")
                        }
                    }
                ),
                ("kms", { try await ring.checkHealth() }),
            ], clock: clock)
    }

    /// In seconds.
    private static let clockLimit: Int64 = 5
}
