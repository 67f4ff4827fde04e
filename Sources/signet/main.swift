// SPDX-License-Identifier: Apache-2.0

// The client: settings, open, wire, run.

internal import Console
internal import Diagnostics
internal import FoundationEssentials
internal import Glibc
internal import Signatures
internal import SigningClient
internal import Transport

/// Has files signed by the data-servers of the settings.
struct DataServerSigning: FileSigning {
    let client: SigningClient

    init(_ settings: ClientSettings) throws {
        guard let servers = settings.dataServers else {
            throw ConsoleError(
                .settingMissing, "no data-server is named",
                remedy: "Name them in the section [server] of the settings; config/client.toml is a sample.")
        }
        var own = SigningClientSettings(
            servers: servers.endpoints, security: .tls(try TLSContext(servers.tls)))
        own.jobs = settings.signing.jobs
        own.timeout = settings.signing.timeout
        own.retryFor = settings.signing.retryFor
        client = SigningClient(own, on: try EventLoops(count: 1).next())
    }

    func sign(_ order: FileOrder, telling listener: any SigningListener) async throws {
        try await client.sign(SigningOrder(order)) { listener.hear($0) }
    }
}

extension SigningOrder {
    init(_ order: FileOrder) {
        self.init(paths: order.paths, key: order.key)
        kind = order.kind.flatMap { SigningKind(rawValue: $0) }
        folder = order.folder
        isDetached = order.isDetached
        isBinary = order.isBinary
        revocationLists = order.revocationLists
        resigns = order.resigns
        isDry = order.isDry
        leavesSigned = order.leavesSigned
        signsPayload = order.signsPayload
        headerFolder = order.headerFolder
    }
}

extension SigningListener {
    func hear(_ event: SigningEvent) {
        switch event {
        case .found(let files): found(files: files)
        case .waiting(let code, let message): waiting(FileFailure(code, message))
        case .finished(let outcome): finished(FileReport(outcome))
        }
    }
}

extension FileReport {
    init(_ outcome: FileOutcome) {
        let result: Outcome =
            switch outcome.result {
            case .signed(let server): .signed(by: server)
            case .alreadySigned: .skipped("it has a good signature of the key")
            case .hasSignature: .skipped("it has a signature")
            case .hasNoSignature: .skipped("it has no signature")
            case .passedOver: .skipped("nothing to do with it")
            case .failed(let code, let message): .failed(FileFailure(code, message))
            case .interrupted:
                .failed(FileFailure(.cancelled, "the run was stopped before", remedy: "Run again."))
            }
        self.init(
            outcome.path, kind: outcome.kind?.rawValue, output: outcome.output, tries: outcome.attempts,
            result)
    }
}

let environment = ProcessInfo.processInfo.environment
let program = SignetProgram(
    environment: environment, screen: .standard(environment), signing: { try DataServerSigning($0) },
    stripping: { order, listener in
        await StrippingRun.run(SigningOrder(order)) { listener.hear($0) }
        try Task.checkCancellation()
    })
exit(await main(program, Array(CommandLine.arguments.dropFirst())))

/// The status of the command, or of the signal that stopped it.
func main(_ program: SignetProgram, _ arguments: [String]) async -> Int32 {
    // Before anything starts a thread.
    let signals = try? ProcessSignal.takeEnds()
    let command = Task { await program.run(arguments) }
    let watch = Task { () -> Int32? in
        guard let signals else { return nil }
        var first: Int32?
        for await number in signals {
            // The second time it is meant at once.
            if first != nil { exit(128 + number) }
            first = number
            command.cancel()
        }
        return first
    }
    let status = await command.value
    watch.cancel()
    return await watch.value.map { 128 + $0 } ?? status
}
