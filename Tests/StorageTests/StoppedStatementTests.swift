// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import MariaDB
import Signatures
import Storage
import TestSupport
import Testing

/// A statement that fails in the middle of a change, each of its statements in turn: nothing of the change stands, and
/// what failed can be done afterwards.
///
/// Triggers on all tables write down which table a change touches and how, and stop it where they are told to.
@Suite(.serialized) struct StoppedStatementTests {
    typealias Deed = @Sendable () async throws -> Void

    /// Makes what the change needs, and returns the change.
    struct Mutation: Sendable {
        let name: String
        /// Those that it touches beside the audit and the revision.
        let touches: Set<String>
        let prepare: @Sendable (Stores) async throws -> Deed
    }

    @Test func nothingIsLeftHalfDone() async throws {
        let stores = try await Stores(.mariaDB)
        let database = try #require(stores.database)
        let tables = try database.sql("SHOW TABLES").split(separator: "\n").dropFirst().map(String.init)
            .filter { !$0.hasPrefix("schema_") && !["stopped", "touched"].contains($0) }
        try Self.install(tables, database)
        defer { try? Self.remove(tables, database) }
        for mutation in Self.mutations { try await stop(mutation, tables, stores, database) }
        // Those of one plane stand for those of the other; an opened proposal is written as it was made.
        let told = Set(Self.mutations.flatMap(\.touches).map { String($0.split(separator: " ")[1]) })
        let missing = Set(tables).subtracting(told).subtracting([
            "audit_entry", "audit_head", "revision", "certifying_cluster_key",
        ])
        #expect(missing.isEmpty, "no change here touches \(missing.sorted())")
    }

    private func stop(
        _ mutation: Mutation, _ tables: [String], _ stores: Stores, _ database: TestDatabase
    ) async throws {
        // What it touches when nothing stops it; preparing touches more.
        let deed = try await mutation.prepare(stores)
        try database.sql("DELETE FROM touched")
        try await deed()
        let touched = Set(try Self.rows("SELECT DISTINCT place FROM touched", database))
        let places = mutation.touches.union(
            mutation.name == Self.recording
                ? [] : ["INSERT audit_entry", "UPDATE audit_head", "UPDATE revision"])
        #expect(touched == places, "\(mutation.name)")
        let sums = "CHECKSUM TABLE \(tables.joined(separator: ", "))"
        for place in touched.sorted() {
            let deed = try await mutation.prepare(stores)
            let before = try Self.rows("INSERT INTO stopped VALUES ('\(place)');\n\(sums)", database)
            #expect(await code { try await deed() } == .databaseStatement, "\(mutation.name): \(place)")
            let after = try Self.rows("DELETE FROM stopped;\n\(sums)", database)
            #expect(after == before, "\(mutation.name): \(place)")
            // The same change, once nothing stops it.
            #expect(await code { try await deed() } == nil, "\(mutation.name): \(place)")
        }
    }

    private static func install(_ tables: [String], _ database: TestDatabase) throws {
        try remove(tables, database)
        var text = """
            CREATE TABLE stopped (place VARCHAR(80) NOT NULL) ENGINE=InnoDB;
            CREATE TABLE touched (place VARCHAR(80) NOT NULL) ENGINE=InnoDB;
            DELIMITER //

            """
        for table in tables {
            for verb in ["INSERT", "UPDATE", "DELETE"] {
                text += """
                    CREATE TRIGGER stop_\(verb)_\(table) BEFORE \(verb) ON \(table) FOR EACH ROW BEGIN
                        IF EXISTS (SELECT 1 FROM stopped WHERE place = '\(verb) \(table)') THEN
                            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'stopped';
                        END IF;
                        INSERT INTO touched VALUES ('\(verb) \(table)');
                    END//

                    """
            }
        }
        try database.sql(text)
    }

    private static func remove(_ tables: [String], _ database: TestDatabase) throws {
        let triggers = tables.flatMap { table in
            ["INSERT", "UPDATE", "DELETE"].map { "DROP TRIGGER IF EXISTS stop_\($0)_\(table);\n" }
        }
        try database.sql(triggers.joined() + "DROP TABLE IF EXISTS stopped, touched;")
    }

    private static func rows(_ query: String, _ database: TestDatabase) throws -> [String] {
        try database.sql(query).split(separator: "\n").dropFirst().map(String.init)
    }

    // MARK: Every change that there is

    private static let recording = "a data-server's records"

    private static func user(_ stores: Stores) async throws -> User {
        let user = try User(
            id: .random(), name: "u\(UInt32.random(in: 0 ... .max))", role: .administrator,
            created: Stores.now)
        try await stores.users.add(user, Stores.event(.userCreate))
        return user
    }

    private static func token(_ user: User) throws -> APIToken {
        try NewAPIToken.make(for: user.id, summary: "t", created: Stores.now, life: .seconds(100)).token
    }

    private static func name() -> String { "key-\(UInt64.random(in: 0 ... .max))" }

    private static func client() throws -> DeniedClient {
        .identity(try Stores.client("spiffe://farm/\(UInt32.random(in: 0 ... .max))").identity)
    }

    static let mutations: [Mutation] = [
        Mutation(
            name: "a new key",
            touches: ["INSERT public_key", "INSERT key_name", "INSERT signing_key"]
        ) { stores in
            let key = try stores.stored(name())
            return { try await stores.keys.add([key], Stores.event(.keyGenerate)) }
        },
        Mutation(
            name: "a new authority",
            touches: ["INSERT public_key", "INSERT key_name", "INSERT certifying_key"]
        ) { stores in
            let key = try stores.stored(name(), scheme: .ca, purpose: .certifying)
            return { try await stores.keys.add([key], Stores.event(.keyGenerate)) }
        },
        Mutation(name: "a key switched off", touches: ["UPDATE signing_key"]) { stores in
            let key = try await stores.added(name())
            let off = try stores.data.store(key.record.applying(.disable), insteadOf: key)
            return { try await stores.keys.change(off, Stores.event(.keyDisable)) }
        },
        Mutation(
            name: "another certificate of a key",
            touches: ["UPDATE signing_key", "INSERT former_certificate"]
        ) { stores in
            let key = try await stores.added(name())
            var record = key.record
            record.expires = Stores.now + .seconds(1_000_000)
            var change = KeyChange(try stores.data.store(record, insteadOf: key))
            change.former = FormerCertificate(
                key: record.id, serialNumber: [1], expires: Stores.now + .seconds(100), replaced: Stores.now)
            return { [change] in try await stores.keys.change(change, Stores.event(.keyRenew)) }
        },
        Mutation(
            name: "a request for a key's end", touches: ["UPDATE signing_key", "INSERT proposal"]
        ) { stores in
            let (user, key) = (try await user(stores), try await stores.added(name(), state: .disabled))
            let voice = Proposal.Voice(user: user.id, name: user.name, time: Stores.now + .seconds(1))
            let open = try Proposal(
                id: .random(), .deletion, of: .key(key.record.id), by: voice, needed: 2,
                ends: Stores.now + .seconds(100))
            var change = KeyChange(
                try stores.data.store(key.record.applying(.requestDeletion), insteadOf: key))
            change.proposal = try stores.control.store(open)
            return { [change] in try await stores.keys.change(change, Stores.event(.keyRequestDeletion)) }
        },
        Mutation(
            name: "a key's end", touches: ["UPDATE signing_key", "DELETE key_name"]
        ) { stores in
            let key = try await stores.added(name(), state: .disabled)
            let gone = try key.deleted(by: stores.data)
            return { try await stores.keys.change(gone, Stores.event(.keyDelete)) }
        },
        Mutation(name: "a new grant", touches: ["INSERT signing_grant", "INSERT grant_key"]) { stores in
            let grant = try stores.grant([try await stores.added(name()).record.id])
            return { try await stores.grants.add(grant, Stores.event(.grantCreate)) }
        },
        Mutation(name: "a grant taken back", touches: ["DELETE signing_grant"]) { stores in
            let grant = try stores.grant([try await stores.added(name()).record.id])
            try await stores.grants.add(grant, Stores.event(.grantCreate))
            return { try await stores.grants.remove(grant.grant.id, Stores.event(.grantRemove)) }
        },
        Mutation(name: "a client shut out", touches: ["INSERT client_denial"]) { stores in
            let client = try client()
            return { try await stores.grants.deny(client, Stores.event(.clientDeny)) }
        },
        Mutation(name: "a client let in again", touches: ["DELETE client_denial"]) { stores in
            let client = try client()
            try await stores.grants.deny(client, Stores.event(.clientDeny))
            return { try await stores.grants.allow(client, Stores.event(.clientAllow)) }
        },
        Mutation(name: "a new user", touches: ["INSERT account"]) { stores in
            let user = try User(
                id: .random(), name: "u\(UInt32.random(in: 0 ... .max))", role: .viewer, created: Stores.now)
            return { try await stores.users.add(user, Stores.event(.userCreate)) }
        },
        Mutation(name: "a user's role", touches: ["UPDATE account"]) { stores in
            let (_, user) = (try await user(stores), try await user(stores))
            var other = user
            other.role = .viewer
            return { [other] in try await stores.users.change(other, seen: user, Stores.event(.userChange)) }
        },
        Mutation(name: "a new token", touches: ["INSERT api_token"]) { stores in
            let token = try token(try await user(stores))
            return { try await stores.users.add(token, Stores.event(.tokenCreate)) }
        },
        Mutation(name: "a token revoked", touches: ["UPDATE api_token"]) { stores in
            let token = try token(try await user(stores))
            try await stores.users.add(token, Stores.event(.tokenCreate))
            return { try await stores.users.revoke(token.id, of: token.user, Stores.event(.tokenRevoke)) }
        },
        Mutation(
            name: "powers that were approved",
            touches: ["UPDATE account", "UPDATE api_token", "INSERT proposal"]
        ) { stores in
            let (asker, user) = (try await user(stores), try await user(stores))
            try await stores.users.add(try token(user), Stores.event(.tokenCreate))
            let voice = Proposal.Voice(user: asker.id, name: asker.name, time: Stores.now + .seconds(1))
            var other = user
            other.role = .operator
            let request = try Proposal(
                id: .random(), .role, of: .user(user.id), .role(PowerChange(of: user, to: other.powers)),
                by: voice, needed: 0, ends: Stores.now + .seconds(100))
            let change = ProposalChange(
                try stores.control.store(request), deed: .user(other, seen: user, endsTokens: true))
            return { try await stores.proposals.write(change, Stores.event(.userChange)) }
        },
        Mutation(name: "everything frozen", touches: ["INSERT freeze"]) { stores in
            let key = try await stores.added(name())
            let voice = Proposal.Voice(user: nil, name: "control-admin", time: Stores.now)
            let freeze = try Freeze(key: key.record.id, by: voice, because: "")
            return { try await stores.freezes.freeze(freeze, Stores.event(.freeze)) }
        },
        Mutation(name: "a thaw", touches: ["DELETE freeze"]) { stores in
            let key = try await stores.added(name())
            let voice = Proposal.Voice(user: nil, name: "control-admin", time: Stores.now)
            let freeze = try Freeze(key: key.record.id, by: voice, because: "")
            try await stores.freezes.freeze(freeze, Stores.event(.freeze))
            return {
                try await stores.proposals.write(
                    ProposalChange(nil, deed: .thaw(freeze)), Stores.event(.thaw))
            }
        },
        Mutation(name: "a new cluster key", touches: ["INSERT signing_cluster_key"]) { stores in
            let made = try await ClusterKey.make(.data, wrappedBy: TestKMS(), at: Stores.now + .seconds(-9))
            return { try await stores.clusterKeys.add(made.wrapped, Stores.event(.clusterKeyCreate)) }
        },
        Mutation(name: "an old cluster key", touches: ["DELETE signing_cluster_key"]) { stores in
            let made = try await ClusterKey.make(.data, wrappedBy: TestKMS(), at: Stores.now + .seconds(-9))
            try await stores.clusterKeys.add(made.wrapped, Stores.event(.clusterKeyCreate))
            return { try await stores.seals.retire(made.key.id, Stores.event(.clusterKeyRetire)) }
        },
        Mutation(
            name: "rows sealed anew",
            touches: [
                "UPDATE signing_key", "DELETE signing_grant", "INSERT signing_grant", "INSERT grant_key",
            ]
        ) { stores in
            let key = try await stores.added(name())
            let grant = try stores.grant([key.record.id])
            try await stores.grants.add(grant, Stores.event(.grantCreate))
            let made = try await ClusterKey.make(.data, wrappedBy: TestKMS(), at: Stores.now + .seconds(-9))
            try await stores.clusterKeys.add(made.wrapped, Stores.event(.clusterKeyCreate))
            var rows = ResealedRows()
            let unsealed = try stores.data.unseal(key)
            rows.keys = [try unsealed.resealed(under: made.key, edition: key.edition)]
            rows.grants = [(try made.key.store(grant.grant), grant)]
            return { [rows] in _ = try await stores.seals.reseal(rows, Stores.event(.keyReseal)) }
        },
        Mutation(name: "a revocation list", touches: ["INSERT revocation_list"]) { stores in
            let list = StoredRevocationList(
                authority: try .random(), number: 1, previous: 0, made: Stores.now,
                next: Stores.now + .seconds(60), der: [1])
            return { try await stores.lists.add(list, Stores.event(.revocationList)) }
        },
        Mutation(name: recording, touches: ["INSERT signature_record"]) { stores in
            let key = try await stores.added(name())
            let revision = try await stores.source.pulse().revision
            let drafts = try (0..<3).map { _ in try Stores.draft(key.record, revision: revision) }
            let server = "data-\(UInt32.random(in: 0 ... .max))"
            return { _ = try await stores.records(server).append(drafts) }
        },
    ]
}
