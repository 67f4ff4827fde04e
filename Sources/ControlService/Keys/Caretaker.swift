// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
internal import Keyring
internal import Signatures

/// Does what time asks for: keys expire, requests lapse, private halves of deleted keys are erased, and revocation lists
/// are made before the last ones end. Several servers may do so at once: whoever comes second finds it done.
public struct Caretaker: Sendable {
    private let keys: KeyRegister
    private let rotation: Rotation?
    private let board: (board: OutlookBoard, files: [String])?

    /// `board` shows what ends soon, the certificates in `files` too.
    public init(
        _ keys: KeyRegister, rotation: Rotation? = nil, board: (board: OutlookBoard, files: [String])? = nil
    ) {
        self.keys = keys
        self.board = board
        self.rotation = rotation
    }

    /// Rows that are sealed anew in one round, so that others get at the database.
    private static let rowsOfRound = 500

    /// What one round did.
    public struct Report: Hashable, Sendable {
        public var expired = 0
        public var lapsed = 0
        public var destroyed = 0
        public var lists = 0
        public var rotation = Rotation.Report()
        /// What could not be done, and is tried again.
        public var troubles: [ErrorCode] = []
    }

    public func round() async -> Report {
        var report = Report()
        await all(&report, of: expiring) { key, report in
            if try await keys.expire(key) { report.expired += 1 }
        }
        await lapse(&report)
        await all(&report, of: deleted) { key, report in
            if try await keys.destroyIfDue(key) { report.destroyed += 1 }
        }
        await all(&report, of: authorities) { key, report in
            if try await keys.renewListIfDue(key) { report.lists += 1 }
        }
        if let rotation {
            do {
                report.rotation = try await rotation.round(by: KeyRegister.program, most: Self.rowsOfRound)
                if report.rotation.broken > 0 { report.troubles.append(.sealBroken) }
            } catch { report.note(error) }
        }
        await look(&report)
        return report
    }

    private func look(_ report: inout Report) async {
        guard let board else { return }
        do {
            board.board.show(try await keys.outlook(files: board.files))
        } catch { report.note(error) }
    }

    /// Rounds until the task is cancelled.
    public func run(every pause: Duration, log: Log) async {
        while !Task.isCancelled {
            let report = await round()
            if report != Report() {
                log.info(
                    "looked after the keys",
                    [
                        "expired": .integer(report.expired), "lapsed": .integer(report.lapsed),
                        "destroyed": .integer(report.destroyed), "lists": .integer(report.lists),
                        "cluster-keys": .integer(report.rotation.rotated),
                        "resealed": .integer(report.rotation.resealed),
                    ])
            }
            for code in Set(report.troubles) {
                log.warning("a key could not be looked after", ["code": .code(code)])
            }
            try? await Task.sleep(for: pause)
        }
    }

    private var expiring: KeyQuery {
        var query = KeyQuery()
        query.expiresUntil = keys.clock()
        query.states = [.enabled, .disabled]
        return query
    }

    private var deleted: KeyQuery {
        var query = KeyQuery()
        query.state = .deleted
        return query
    }

    private var authorities: KeyQuery {
        var query = KeyQuery()
        query.schemes = [.ca]
        return query
    }

    /// One key that cannot be looked after does not keep the others from it.
    private func all(
        _ report: inout Report, of query: KeyQuery, _ body: (StoredKey, inout Report) async throws -> Void
    ) async {
        var found: [StoredKey] = []
        var query = query
        query.limit = KeyQuery.largest
        do {
            // All of them first, since what is done changes what the next page is.
            while true {
                let page = try await keys.keys.keys(query)
                found += page.keys
                query.offset += page.keys.count
                if page.keys.isEmpty || query.offset >= page.total { break }
            }
        } catch {
            return report.note(error)
        }
        for key in found {
            do { try await body(key, &report) } catch { report.note(error) }
        }
    }

    private func lapse(_ report: inout Report) async {
        do {
            report.lapsed = try await keys.lapseAll()
        } catch { report.note(error) }
    }
}

extension Caretaker.Report {
    fileprivate mutating func note(_ error: any Error) {
        let code = (error as? any CodedError)?.code ?? .internalError
        // Somebody else was quicker.
        if code != .changedMeanwhile { troubles.append(code) }
    }
}

extension KeyRegister {
    /// What ends soon.
    func outlook(files: [String]) async throws -> Outlook {
        try await .look(keys, lists.store, files: files, at: clock())
    }

    /// Whether it was done.
    func expire(_ stored: StoredKey) async throws -> Bool {
        try await ring.check(stored)
        let now = clock()
        guard stored.record.isExpired(at: now) else { return false }
        try await keys.change(
            ring.changed(stored, to: stored.record.applying(.expire)),
            Self.program.event(
                .keyExpire, stored.record.id.description, at: now, [("name", stored.record.name.text)]))
        return true
    }

    /// The private half of a deleted key goes when its waiting time is over; the row stays.
    func destroyIfDue(_ stored: StoredKey) async throws -> Bool {
        try await ring.check(stored)
        let now = clock()
        var query = ProposalQuery()
        (query.operation, query.state, query.subjects) = (.deletion, .done, [.key(stored.record.id)])
        guard let request = try await stores.proposals(query).first else { return false }
        try await ring.check(request)
        guard let deleted = request.proposal.closed, deleted + rules.destroyAfter <= now else { return false }
        try await keys.change(
            ring.erased(stored, to: stored.record.applying(.destroy)),
            Self.program.event(
                .keyDestroy, stored.record.id.description, at: now, [("name", stored.record.name.text)]))
        return true
    }

    func renewListIfDue(_ stored: StoredKey) async throws -> Bool {
        guard stored.record.state.after(.listRevocations) != nil else { return false }
        try await ring.check(stored)
        guard try await lists.isDue(stored) else { return false }
        _ = try await lists.renew(stored)
        return true
    }

    private func lapse(_ open: StoredProposal) async throws {
        if open.proposal.operation.ending != nil, let key = open.proposal.key {
            return try await lapse(open, of: any(key.description))
        }
        try await ballot.close(open, as: .expired, by: Self.program)
    }

    /// Ends the requests whose time is over; how many there were.
    func lapseAll() async throws -> Int {
        var query = ProposalQuery()
        query.state = .open
        query.limit = ProposalQuery.largest
        let now = clock()
        var count = 0
        for open in try await stores.proposals(query) where open.proposal.isOver(at: now) {
            try await ring.check(open)
            do {
                try await lapse(open)
                count += 1
            } catch let error as KeyringError where error.code == .changedMeanwhile {}
        }
        return count
    }
}
