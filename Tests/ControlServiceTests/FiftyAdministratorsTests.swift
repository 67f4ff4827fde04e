// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import Foundation
import Keyring
import MariaDB
import Signatures
import Storage
import TestSupport
import Testing

/// Fifty administrators at once, over the real database: whatever they do to the same few keys, the audit, which is the order
/// in which it was committed, is a history that the rules allow, and leads to what is in the tables.
@Suite struct FiftyAdministratorsTests {
    private static let people = 50
    private static let needed = 3

    /// What the rules say of one key, by the names of those who act.
    private struct Model {
        var state = KeyState.disabled
        var asker: String?
        var approved: Set<String> = []

        private mutating func end(_ next: KeyState) { (state, asker, approved) = (next, nil, []) }

        /// Whether the entry may follow what was before it.
        mutating func follow(_ action: AuditAction, by name: String) -> Bool {
            switch (action, state) {
            case (.keyEnable, .disabled): state = .enabled
            case (.keyDisable, .enabled): state = .disabled
            case (.keyRequestDeletion, .disabled): (state, asker) = (.pendingDeletion, name)
            case (.keyRequestDeletion, .revoked): (state, asker) = (.revokedPendingDeletion, name)
            case (.keyRequestRevocation, .disabled): (state, asker) = (.pendingRevocation, name)
            case (.approvalGive, .pendingDeletion), (.approvalGive, .revokedPendingDeletion),
                (.approvalGive, .pendingRevocation):
                return name != asker && approved.insert(name).inserted && approved.count < needed
            case (.approvalTakeBack, _): return approved.remove(name) != nil
            case (.keyDelete, .pendingDeletion), (.keyDelete, .revokedPendingDeletion):
                guard name != asker, approved.insert(name).inserted, approved.count == needed else {
                    return false
                }
                end(.deleted)
            case (.keyRevoke, .pendingRevocation):
                guard name != asker, approved.insert(name).inserted, approved.count == needed else {
                    return false
                }
                end(.revoked)
            // The one who asked withdraws it, and any administrator may reject it.
            case (.keyCancelDeletion, .pendingDeletion), (.keyCancelRevocation, .pendingRevocation):
                end(.disabled)
            case (.keyCancelDeletion, .revokedPendingDeletion): end(.revoked)
            default: return false
            }
            return true
        }
    }

    private static let refusals: Set<ErrorCode> = [
        .keyStateForbids, .approvalRefused, .approvalOver, .keyNotFound, .approvalNotFound, .changedMeanwhile,
    ]

    @Test func theirHistoryIsOneThatTheRulesAllow() async throws {
        let plant = try Plant()
        var limits = PoolLimits()
        limits.size = 8
        let password = plant.folder.path + "/signet_control"
        var settings = DatabaseSettings(
            servers: [.socket(path: plant.database.socket)], user: "signet_control", database: "signet")
        settings.passwordFile = password
        let pool = try DatabasePool(settings, limits: limits)
        let storage = ControlStorage(pool)
        let ring = ClusterKeyRing(store: storage, wrapping: OpenWrapping())
        let program = Caller(program: "test")
        // The plant has cluster keys of its own, under another key service.
        for plane in Plane.allCases {
            let made = try await ClusterKey.make(
                plane, wrappedBy: OpenWrapping(), at: Moment.now() + .seconds(60))
            try await storage.add(
                made.wrapped,
                AuditEvent(
                    time: Moment.now(), actor: .program("test"), action: .clusterKeyCreate, subject: "test"))
        }
        var rules = ApprovalRules()
        rules.needed = Self.needed
        let keys = KeyRegister(keys: storage, ring: ring, rules: rules, clock: Moment.now)
        let users = UserRegister(users: storage, ballot: keys.ballot)
        let approvals = ApprovalRegister(
            keys: keys, freezes: FreezeRegister(freezes: storage, keys: keys), users: users,
            grants: GrantRegister(grants: storage, keys: storage, ballot: keys.ballot))
        var callers: [Caller] = []
        for number in 0..<Self.people {
            callers.append(Caller(try await users.make("admin\(number)", .administrator, by: program)))
        }
        let subject = try DistinguishedName([(DistinguishedName.commonName, "Farm")])
        let end = Moment.now() + .seconds(1000 * 86_400)
        let authority = try await keys.generate(
            KeyOrder(name: KeyName("farm-ca"), algorithm: .p256, expires: end, sort: .authority(subject)),
            by: program)
        try await keys.apply(.enable, to: "farm-ca", by: program)
        var ids: [String] = []
        for number in 0..<4 {
            let made = try await keys.generate(
                KeyOrder(
                    name: KeyName("modules-\(number)"), algorithm: .p256, expires: end,
                    sort: .signer(subject, parent: authority.record.id.description, .module)), by: program)
            ids.append(made.record.id.description)
        }
        let start = try await storage.auditHead().sequence
        let acts = Trials.count(5, full: 100)
        let keyIDs = ids
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, caller) in callers.enumerated() {
                group.addTask {
                    var random = Trials.generator("fifty \(number)")
                    for _ in 0..<acts {
                        let id = keyIDs[Int.random(in: 0..<keyIDs.count, using: &random)]
                        do {
                            try await Self.act(
                                Int.random(in: 0..<12, using: &random), id, caller, keys, approvals)
                        } catch let error as any CodedError {
                            #expect(Self.refusals.contains(error.code), "\(error)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }

        var models = Dictionary(uniqueKeysWithValues: ids.map { ($0, Model()) })
        var head = try await storage.auditHead().sequence
        var after = start
        var taken = 0
        while after < head {
            for entry in try await storage.entries(after: after, limit: 1000) {
                after = entry.sequence
                guard models[entry.event.subject] != nil, case .user(_, let name) = entry.event.actor else {
                    continue
                }
                let before = models[entry.event.subject]
                let isLegal = models[entry.event.subject]?.follow(entry.event.action, by: name) ?? false
                #expect(isLegal, "\(entry.event.action) by \(name) after \(String(describing: before))")
                taken += 1
            }
            head = max(head, after)
        }
        #expect(taken >= ids.count * 2, "hardly anything was done")
        for id in ids {
            let stored = try #require(try await storage.key(KeyID(id) ?? authority.record.id))
            let model = models[id] ?? Model()
            #expect(stored.record.state == model.state)
            var query = ProposalQuery()
            (query.state, query.subjects) = (.open, [.key(stored.record.id)])
            let open = try await storage.proposals(query).map(\.proposal)
            #expect(open.map(\.requester.name) == [model.asker].compactMap { $0 })
            #expect(Set(open.flatMap(\.approvals).map(\.name)) == model.approved)
            query.state = .done
            for done in try await storage.proposals(query).map(\.proposal) {
                #expect(Set(done.approvals.compactMap(\.user)).count == Self.needed)
                #expect(!done.approvals.contains { $0.user == done.requester.user })
            }
        }
        _ = try await ChainCheck(audit: storage, records: storage).auditHead()
        await pool.close()
    }

    private static func act(
        _ choice: Int, _ id: String, _ caller: Caller, _ keys: KeyRegister, _ approvals: ApprovalRegister
    ) async throws {
        switch choice {
        case 0: try await keys.apply(.enable, to: id, by: caller)
        case 1: try await keys.apply(.disable, to: id, by: caller)
        case 2...5: try await keys.request(.deletion, of: id, by: caller)
        case 6...8: try await keys.request(.revocation, of: id, because: .superseded, by: caller)
        case 9: try await keys.cancel(.deletion, of: id, by: caller)
        case 10: try await keys.cancel(.revocation, of: id, by: caller)
        default:
            var query = ProposalQuery()
            (query.state, query.limit) = (.open, 1)
            guard let open = try await approvals.list(query, for: caller).first else { return }
            try await approvals.reject(open.id, by: caller)
        }
    }
}
