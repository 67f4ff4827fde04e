// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Diagnostics
internal import HTTP
internal import KMS
internal import Keyring
internal import MariaDB
internal import Settings
internal import Storage

/// What `doctor` found.
struct Finding: Encodable {
    enum Level: String, Encodable {
        case good
        case warning
        case error
    }

    let level: Level
    /// What was looked at: database, clock, kms, keys, certificates, lists, backup.
    let check: String
    let message: String
}

extension AdminProgram {
    private struct Report: Encodable {
        var schema = 1
        let findings: [Finding]
    }

    func examine(_ invocation: Invocation) async throws {
        let settings = try settings(invocation)
        let days = invocation.integer("days") ?? 30
        let findings =
            await examineDatabase(settings, days) + examineKeyService(settings)
            + examineFiles(settings, days) + examineBackups(settings)
        if invocation.text("output") == "json" {
            tell(String(decoding: try JSON.encode(Report(findings: findings)), as: UTF8.self))
        } else {
            let width = findings.map(\.check.count).max() ?? 0
            for finding in findings {
                let level =
                    finding.level.rawValue + String(repeating: " ", count: 9 - finding.level.rawValue.count)
                let check = finding.check + String(repeating: " ", count: width - finding.check.count + 2)
                tell(level + check + finding.message)
            }
        }
        let needy = findings.count { $0.level != .good }
        guard needy == 0 else {
            throw ControlError(.needsAttention, "\(needy) of \(findings.count) checks found something")
        }
    }

    // MARK: The database and what is in it

    private func examineDatabase(_ settings: ControlSettings, _ days: Int) async -> [Finding] {
        do {
            var limits = PoolLimits()
            limits.size = 1
            let pool = try DatabasePool(settings.database, limits: limits)
            let findings: [Finding]
            do {
                try await SchemaVersion.check(pool)
                findings = try await examine(ControlStorage(pool), days, schema: SchemaVersion.present(pool))
            } catch {
                findings = [Self.failed("database", error)]
            }
            await pool.close()
            return findings
        } catch {
            return [Self.failed("database", error)]
        }
    }

    private func examine(_ storage: ControlStorage, _ days: Int, schema: Int) async throws -> [Finding] {
        var findings = [Finding(level: .good, check: "database", message: "schema \(schema)")]
        let difference = try await storage.pulse().time - clock()
        let seconds = abs(difference / Duration.seconds(1))
        let skew = "\((seconds * 10).rounded() / 10) s off the database's"
        findings.append(
            Finding(
                level: seconds > 5 ? .error : seconds > 1 ? .warning : .good, check: "clock", message: skew))
        let now = clock()
        let outlook = try await Outlook.look(storage, storage, files: [], at: now)
        findings += Self.endings(
            outlook.keys, "keys", "no key that is enabled ends within \(days) days", within: days, at: now)
        // A list is made anew a week after it was made; one that is older was not looked after.
        findings += Self.endings(
            outlook.lists, "lists", "the revocation lists are fresh", within: min(days, 7), at: now)
        return findings
    }

    // MARK: What lies beside it

    private func examineKeyService(_ settings: ControlSettings) async -> [Finding] {
        do {
            try await settings.keyService.open(in: settings.environment, log: log).checkHealth()
            try await settings.certifyingService?.open(in: settings.environment, log: log).checkHealth()
            return [Finding(level: .good, check: "kms", message: "it answers")]
        } catch {
            return [Self.failed("kms", error)]
        }
    }

    private func examineFiles(_ settings: ControlSettings, _ days: Int) -> [Finding] {
        let now = clock()
        let folder = AuthorityFolder(settings.authority)
        var endings: [Outlook.Ending] = []
        var findings: [Finding] = []
        for file in settings.watchedFiles {
            do {
                guard let text = try PublicFile.text(file) else {
                    throw ControlError(.fileUnreadable, "\(file) is not there")
                }
                for certificate in try Certificate.pem(text) {
                    endings.append(
                        .init(name: file, end: Moment(seconds: certificate.notAfter.secondsSince1970)))
                }
            } catch { findings.append(Self.failed("certificates", error)) }
        }
        for issued in (try? folder.issued()) ?? [] where issued.isGood(at: now) {
            let name = issued.uri ?? issued.serial
            endings.append(
                .init(name: name, end: Moment(seconds: issued.certificate.notAfter.secondsSince1970)))
        }
        if let end = (try? folder.revocationList())??.nextUpdate {
            endings.append(.init(name: folder.revocationFile, end: Moment(seconds: end.secondsSince1970)))
        }
        let soon = Self.endings(
            endings.sorted { $0.end < $1.end }, "certificates",
            "none of the transport ends within \(days) days",
            within: days, at: now)
        return findings + (findings.isEmpty || soon.contains { $0.level != .good } ? soon : [])
    }

    private func examineBackups(_ settings: ControlSettings) -> [Finding] {
        let folder = settings.backup.folder
        func warn(_ message: String) -> [Finding] {
            [Finding(level: .warning, check: "backup", message: message)]
        }
        do {
            let names = try PublicFile.names(in: folder).filter { $0.hasSuffix(BackupMark.ending) }
            var newest: (path: String, made: Moment)?
            for name in names {
                let path = "\(folder)/\(name)"
                let head = try? BackupFile.read(path) { try BackupReader($0).head }
                if let head, head.created > newest?.made ?? Moment(seconds: 0) {
                    newest = (path, head.created)
                }
            }
            guard let newest else { return warn("there is none in \(folder): control-admin backup create") }
            guard clock() - newest.made <= settings.backup.age else {
                return warn("the newest, \(newest.path), is of \(Timestamp.text(newest.made))")
            }
            guard let mark = BackupMark(beside: newest.path) else {
                return warn("never verified: control-admin backup verify \(newest.path)")
            }
            return [
                Finding(
                    level: .good, check: "backup",
                    message: "\(newest.path), verified \(Timestamp.text(mark.verified))")
            ]
        } catch {
            return [Self.failed("backup", error)]
        }
    }

    // MARK: Words

    private static func endings(
        _ endings: [Outlook.Ending], _ check: String, _ none: String, within days: Int, at now: Moment
    ) -> [Finding] {
        let soon = endings.filter { $0.daysLeft(at: now) <= Double(days) }
        guard !soon.isEmpty else { return [Finding(level: .good, check: check, message: none)] }
        return soon.map { ending in
            let isOver = ending.end <= now
            return Finding(
                level: isOver ? .error : .warning, check: check,
                message: "\(ending.name) \(isOver ? "ended" : "ends") \(Timestamp.text(ending.end))")
        }
    }

    private static func failed(_ check: String, _ error: any Error) -> Finding {
        let message = (error as? any CodedError).map { "\($0.message) (\($0.code.id))" }
        return Finding(level: .error, check: check, message: message ?? "it failed")
    }
}
