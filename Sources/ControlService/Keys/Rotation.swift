// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// When a cluster key is replaced, and how long the old one stays.
public struct RotationRules: Hashable, Sendable {
    /// Of the newest cluster key, after which there is a newer one.
    public var age: Duration = .seconds(90 * 86_400)
    /// How many rows may be under one. All of them are under the next one soon, so who has more rows than that gets a new one
    /// after `usesAge`, and not in each round.
    public var uses = 1_000_000
    public var usesAge: Duration = .seconds(86_400)
    /// How long one that nothing is under is kept, for servers that have just read a row under it.
    public var overlap: Duration = .seconds(3600)

    public init() {}
}

/// Replaces cluster keys: a new one for all that is written, everything old sealed anew under it, and the old one taken away
/// when nothing is under it.
///
/// It can be stopped at any moment and goes on where it was: what is done stands in the rows. Several may do it at once. A
/// row that does not open is left as it is, and told of.
public struct Rotation: Sendable {
    private let stores: any SealStore & ClusterKeyStore
    private let ring: ClusterKeyRing
    private let rules: RotationRules
    private let clock: Clock

    public init(
        stores: any SealStore & ClusterKeyStore, ring: ClusterKeyRing, rules: RotationRules = RotationRules(),
        clock: @escaping Clock
    ) {
        self.stores = stores
        self.ring = ring
        self.rules = rules
        self.clock = clock
    }

    public struct Report: Hashable, Sendable {
        public var rotated = 0
        public var resealed = 0
        public var retired = 0
        /// Rows that do not open under the keys that they name.
        public var broken = 0

        public init() {}
    }

    /// Cluster keys with the number of rows under each, by plane, the newest first.
    public func list(for caller: Caller) async throws -> [(key: WrappedKey, uses: Int)] {
        try caller.require(.manageClusterKeys)
        var list: [(WrappedKey, Int)] = []
        for plane in Plane.allCases {
            for key in try await stores.clusterKeys(of: plane) {
                list.append((key, try await stores.uses(of: key.id)))
            }
        }
        return list
    }

    /// What is due of all of it; at most `most` rows are sealed anew, for others want the database too.
    public func round(by caller: Caller, most: Int = .max) async throws -> Report {
        var report = Report()
        for plane in Plane.allCases {
            if try await isDue(plane) {
                _ = try await ring.rotate(plane, by: caller, at: clock())
                report.rotated += 1
            }
            try await reseal(plane, by: caller, most: most, &report)
            report.retired += try await retire(plane, by: caller)
        }
        return report
    }

    /// A new cluster key for a plane, due or not.
    public func rotate(_ plane: Plane, by caller: Caller) async throws -> ClusterKeyID {
        try caller.require(.manageClusterKeys)
        return try await ring.rotate(plane, by: caller, at: clock())
    }

    private func isDue(_ plane: Plane) async throws -> Bool {
        guard let newest = try await stores.clusterKeys(of: plane).first else { return true }
        let now = clock()
        if newest.created + rules.age <= now { return true }
        guard newest.created + rules.usesAge <= now else { return false }
        return try await stores.uses(of: newest.id) >= rules.uses
    }

    // MARK: Sealing anew

    private static let batch = 100

    private func reseal(_ plane: Plane, by caller: Caller, most: Int, _ report: inout Report) async throws {
        guard let newest = try await stores.clusterKeys(of: plane).first?.id else { return }
        var broken: Set<[UInt8]> = []
        var done = 0
        while !Task.isCancelled, done < most {
            let found = try await stores.rows(notUnder: newest, of: plane, limit: Self.batch + broken.count)
            var rows = ResealedRows()
            for key in found.keys where !broken.contains(key.record.id.bytes) {
                do { rows.keys.append(try await ring.resealed(key, under: newest)) } catch {
                    try Self.pass(error)
                    broken.insert(key.record.id.bytes)
                }
            }
            for grant in found.grants where !broken.contains(grant.grant.id.bytes) {
                do { rows.grants.append((try await ring.recoded(grant, under: newest), grant)) } catch {
                    try Self.pass(error)
                    broken.insert(grant.grant.id.bytes)
                }
            }
            for proposal in found.proposals where !broken.contains(proposal.proposal.id.bytes) {
                do { rows.proposals.append(try await ring.recoded(proposal, under: newest)) } catch {
                    try Self.pass(error)
                    broken.insert(proposal.proposal.id.bytes)
                }
            }
            guard rows.count > 0 else { break }
            let count = try await stores.reseal(
                rows,
                caller.event(
                    .keyReseal, newest.description, at: clock(),
                    [("plane", plane.rawValue), ("rows", String(rows.count))]))
            done += rows.count
            report.resealed += count
        }
        report.broken += broken.count
    }

    /// A row that is broken is one thing, a service that is away another.
    private static func pass(_ error: any Error) throws {
        guard let code = (error as? any CodedError)?.code, code == .rowForged || code == .sealBroken else {
            throw error
        }
    }

    // MARK: Taking away

    private func retire(_ plane: Plane, by caller: Caller) async throws -> Int {
        let now = clock()
        let keys = try await stores.clusterKeys(of: plane)
        var count = 0
        for (newer, old) in zip(keys, keys.dropFirst()) where newer.created + rules.overlap <= now {
            guard try await stores.uses(of: old.id) == 0 else { continue }
            do {
                try await stores.retire(
                    old.id,
                    caller.event(.clusterKeyRetire, old.id.description, at: now, [("plane", plane.rawValue)]))
                count += 1
            } catch let error as KeyringError where [.wrongState, .clusterKeyNotFound].contains(error.code) {
                // Somebody used it, or took it away, a moment ago.
            }
        }
        return count
    }
}
