// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import FoundationEssentials
internal import Settings

/// `signet` from its command line to its exit status.
public struct SignetProgram: Sendable {
    /// Makes what signs, once the settings are read.
    public typealias Signing = @Sendable (ClientSettings) throws -> any FileSigning
    /// Takes signatures away, and asks no server.
    public typealias Stripping = @Sendable (FileOrder, any SigningListener) async throws -> Void
    /// Makes the desk of the control-server; nil for the one of the settings.
    public typealias Desk = @Sendable (ClientSettings) throws -> any ControlDesk

    let environment: [String: String]
    let screen: Screen
    let signing: Signing
    let stripping: Stripping
    let desk: Desk?
    /// Since whenever.
    let now: @Sendable () -> Duration
    /// Seconds since 1970.
    let wallClock: @Sendable () -> Int64
    /// Within this time data-servers act on what was changed.
    let settling: Duration

    public init(
        environment: [String: String], screen: Screen, signing: @escaping Signing,
        stripping: @escaping Stripping = Self.noStripping, desk: Desk? = nil,
        now: @escaping @Sendable () -> Duration = Self.monotonic(),
        wallClock: @escaping @Sendable () -> Int64 = Self.seconds(), settling: Duration = .seconds(1)
    ) {
        self.environment = environment
        self.screen = screen
        self.signing = signing
        self.stripping = stripping
        self.desk = desk
        self.now = now
        self.wallClock = wallClock
        self.settling = settling
    }

    /// Where no part that strips is at hand.
    public static let noStripping: Stripping = { _, _ in
        throw ConsoleError(.unsupported, "nothing here takes signatures away", remedy: "Use signet itself.")
    }

    /// As the REST interface writes a point in time.
    func wallTime(after span: Duration) -> String {
        Date(timeIntervalSince1970: Double(wallClock() + span.components.seconds)).ISO8601Format()
    }

    public static func seconds() -> @Sendable () -> Int64 { { WallTime.now().seconds } }

    public static func monotonic() -> @Sendable () -> Duration {
        let start = ContinuousClock.now
        return { ContinuousClock.now - start }
    }

    /// `arguments` without the program's name.
    public func run(_ arguments: [String]) async -> Int32 {
        let outcome: CommandOutcome
        do {
            outcome = try CommandTree.signet.parse(arguments, environment: environment)
        } catch {
            return fail(error, form: Self.guessedForm(arguments, environment))
        }
        switch outcome {
        case .print(let text):
            screen.out(text)
            return ExitStatus.success
        case .run(let invocation):
            let form = invocation.text("output").flatMap { OutputForm(rawValue: $0) } ?? .text
            do {
                return try await CommandRun(self, invocation, form).run()
            } catch {
                return fail(error, form: form)
            }
        }
    }

    /// Also those who mistype get their errors as JSON when they ask for it.
    private static func guessedForm(_ arguments: [String], _ environment: [String: String]) -> OutputForm {
        for (place, word) in arguments.enumerated() {
            if ["-o", "--output"].contains(word), place + 1 < arguments.count,
                let form = OutputForm(rawValue: arguments[place + 1])
            {
                return form
            }
            if word.hasPrefix("--output="), let form = OutputForm(rawValue: String(word.dropFirst(9))) {
                return form
            }
        }
        return environment["SIGNET_OUTPUT"].flatMap { OutputForm(rawValue: $0) } ?? .text
    }

    private func fail(_ error: any Error, form: OutputForm) -> Int32 {
        let failure = FileFailure(error)
        let id = (error as? ConsoleError)?.foreignID
        if form != .text {
            screen.out(Documents.text(Documents.Failed(error: Documents.Fault(failure, id: id))))
        }
        let remedy = failure.remedy ?? failure.code.remedy
        screen.notes(
            "signet: \(ShownText.lines(failure.message)) [\(ShownText.line(id ?? failure.code.id))]\n"
                + "  \(ShownText.line(remedy))\n")
        return ExitStatus.of(error)
    }
}

/// One command under way.
struct CommandRun {
    let program: SignetProgram
    let invocation: Invocation
    let form: OutputForm

    init(_ program: SignetProgram, _ invocation: Invocation, _ form: OutputForm) {
        self.program = program
        self.invocation = invocation
        self.form = form
    }

    var screen: Screen { program.screen }

    func run() async throws -> Int32 {
        switch invocation.path.joined(separator: " ") {
        case "sign": return try await sign()
        case "verify": return try await verify()
        case "inspect": return try inspect()
        case "key list": try await listKeys()
        case "key show": try await showKey()
        case "key generate": try await generateKey()
        case "key import": try await importKey()
        case "key issue": try await issueCertificate()
        case "key renew": try await renewKeys()
        case "key enable": try await actOnKeys("enable", "enabled")
        case "key disable": try await actOnKeys("disable", "disabled")
        case "key guard": try await actOnKeys("guard", "guarded")
        case "key unguard": try await actOnKeys("unguard", "unguarded")
        case "key delete": try await askFor("request_delete", "to be deleted")
        case "key revoke": try await askFor("request_revoke", "to be revoked")
        case "key keep": try await keepKeys()
        case "approval list": try await listApprovals()
        case "approval approve": try await actOnApprovals("approve", "approved")
        case "approval reject": try await actOnApprovals("reject", "rejected")
        case "freeze": try await freeze()
        case "thaw": try await thaw()
        case "frozen": try await listFreezes()
        case "key export": try await exportKey()
        case "grant list": try await listGrants()
        case "grant add": try await addGrant()
        case "grant remove": try await removeGrants()
        case "token list": try await listTokens()
        case "token create": try await createToken()
        case "token revoke": try await revokeTokens()
        case "user list": try await listUsers()
        case "user add": try await addUser()
        case "user change": try await changeUser()
        case "record list": try await listRecords()
        case "audit list": try await listAudit()
        case "config show": try showConfiguration()
        case "completion": screen.out(BashCompletion.script(.signet))
        default: throw ConsoleError(.unsupported, "\(invocation.path): not in this version")
        }
        return ExitStatus.success
    }

    // MARK: Settings

    func settings() throws -> (settings: ClientSettings, report: SettingsReport) {
        let files = try ClientSettings.files(invocation.text("config"), program.environment)
        return try ClientSettings.read(
            SettingsSources(
                files: files, environment: program.environment, overrides: invocation.overrides))
    }

    private func showConfiguration() throws {
        let report = try settings().report
        guard form == .text else {
            let entries = report.entries.map { entry in
                JSONValue.object([
                    "setting": .text(entry.path.joined(separator: ".")),
                    "value": entry.shown.map { .text($0) } ?? .null, "origin": .text("\(entry.origin)"),
                ])
            }
            return print([("settings", .list(entries))])
        }
        screen.out(report.text(origins: invocation.flag("origin")))
    }

    // MARK: Results

    /// A document of these members.
    func print(_ members: [(String, JSONValue)]) {
        var object = Dictionary(members) { first, _ in first }
        object["schema"] = .integer(Int64(Documents.schema))
        screen.out(Documents.text(JSONValue.object(object)))
    }

    /// A list, as a document, as one item a line, or as a table.
    func print(_ name: String, _ items: [JSONValue], columns: [(heading: String, member: String)]) {
        switch form {
        case .json: print([(name, .list(items))])
        case .jsonl: for item in items { screen.out(Documents.text(item)) }
        case .text:
            var table = ColumnTable(columns.map(\.heading))
            for item in items { table.add(columns.map { item[$0.member].shown }) }
            screen.out(table.text)
        }
    }

    /// One thing: a document, or a line for each member that says something.
    func print(_ name: String, _ item: JSONValue) {
        guard form == .text, case .object(let members) = item else { return print([(name, item)]) }
        let said = members.filter { !$0.value.shown.isEmpty }.sorted { $0.key < $1.key }
        let width = said.map(\.key.count).max() ?? 0
        for (key, value) in said {
            let padding = String(repeating: " ", count: width - key.count + 2)
            screen.out(key + padding + ShownText.line(value.shown) + "\n")
        }
    }

    /// Waits until data-servers act on what was changed, so that the next command finds it in force.
    func settle() async throws { try await Task.sleep(for: program.settling) }

    /// What was done, in words.
    func confirm(_ text: String) {
        if form == .text { screen.notes(ShownText.line(text) + "\n") }
    }
}
