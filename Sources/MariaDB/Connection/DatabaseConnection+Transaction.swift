// SPDX-License-Identifier: Apache-2.0

extension DatabaseConnection {
    /// Runs `body` as one transaction: all of it is committed, or nothing.
    ///
    /// A deadlock, a lock wait that took too long and a cluster's conflict roll the whole transaction back and run
    /// `body` again, after a pause and as often as the settings' `retry` says; so `body` must have no other effect
    /// than its statements. Any other error rolls back and is thrown on.
    ///
    /// When the connection is lost while COMMIT is under way, the error is `commitUnknown`: the transaction may stand
    /// or not, and the caller settles it by reading back what he wrote.
    @available(*, noasync, message: "it blocks the thread")
    @discardableResult
    public func transaction<Result>(
        readOnly: Bool = false, _ body: (DatabaseConnection) throws -> Result
    ) throws -> Result {
        guard !isInTransaction else {
            throw DatabaseError(.badStatement, "a transaction is open on this connection already")
        }
        var attempt = 1
        while true {
            do {
                return try attemptTransaction(readOnly: readOnly, body)
            } catch let error as DatabaseError
                where error.kind.isTransient && attempt < settings.retry.attempts
            {
                let pause = settings.retry.pause(before: attempt, random: surroundings.random())
                if isBroken || !hasTime(for: pause) { throw error }
                surroundings.pause(pause)
                attempt += 1
                retries += 1
            }
        }
    }

    private func hasTime(for pause: Duration) -> Bool {
        limit.map { surroundings.now() + pause < $0 } ?? true
    }

    private func attemptTransaction<Result>(
        readOnly: Bool, _ body: (DatabaseConnection) throws -> Result
    ) throws -> Result {
        try runText(readOnly ? "START TRANSACTION READ ONLY" : "START TRANSACTION")
        isInTransaction = true
        defer {
            isInTransaction = false
            doom = nil
        }
        let result: Result
        do {
            result = try body(self)
            // The body may have caught an error that ended the transaction on the server.
            if let doom { throw doom }
        } catch {
            rollBack()
            throw error
        }
        guard serverIsInTransaction else {
            throw DatabaseError(
                .badStatement, "a statement ended the transaction by itself, as DDL and COMMIT do")
        }
        try commit(readOnly: readOnly)
        return result
    }

    private func commit(readOnly: Bool) throws(DatabaseError) {
        do {
            try runText("COMMIT")
        } catch {
            switch error.kind {
            case .connectionLost where !readOnly, .deadline where !readOnly:
                isBroken = true
                throw error.seen(as: .commitUnknown, "the answer to COMMIT is lost")
            default:
                rollBack()
                throw error
            }
        }
    }

    /// A connection whose transaction cannot be rolled back is of no more use.
    func rollBack() {
        guard !isBroken else { return }
        do { try runText("ROLLBACK") } catch { isBroken = true }
    }
}
