// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Settings
internal import Verification

extension CommandRun {
    func sign() async throws -> Int32 {
        let order = try order()
        let strips = invocation.flag("strip")
        var style = RunReporter.Style()
        style.doneWord =
            strips ? order.isDry ? "to strip" : "stripped" : order.isDry ? "to sign" : "signed"
        style.form = form
        style.progress = invocation.text("progress").flatMap { ProgressMode(rawValue: $0) } ?? .auto
        style.isVerbose = invocation.flag("verbose") || order.isDry
        let signer = strips ? nil : try program.signing(settings().settings)
        let stripping = program.stripping
        let reporter = RunReporter(style, on: screen, now: program.now)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    if let signer {
                        try await signer.sign(order, telling: reporter)
                    } else {
                        try await stripping(order, reporter)
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        reporter.tick()
                        try? await Task.sleep(for: .milliseconds(250))
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            // Whatever stopped the run, those that are done are told of.
            let status = ExitStatus.of(error)
            if reporter.summary.files > 0 {
                _ = reporter.end()
            }
            guard error is CancellationError else { throw error }
            return status
        }
        return reporter.end()
    }

    private func order() throws -> FileOrder {
        var kind = invocation.text("kind")
        // A signature beside the file is what some kinds have anyway.
        let meanings = [("detached", ["generic", "cms", "module"]), ("cleartext", ["cleartext"])]
        for (flag, kinds) in meanings where invocation.flag(flag) {
            guard kind.map({ kinds.contains($0) }) ?? true else {
                throw ConsoleError(
                    .badArguments, "--\(flag) and --kind \(kind ?? "") do not go together",
                    remedy: "Leave one of them out: a file is of one kind.")
            }
            kind = kind ?? kinds[0]
        }
        try checkArmor(kind)
        try checkKey()
        var order = FileOrder(
            paths: invocation.arguments("PATH"), key: invocation.text("key") ?? "", kind: kind,
            folder: invocation.text("out-dir"), isDetached: invocation.flag("detached") && kind == "module",
            resigns: invocation.flag("resign"),
            isDry: invocation.flag("dry-run"))
        order.revocationLists = try revocationLists()
        order.isBinary = invocation.flag("no-armor")
        order.leavesSigned = invocation.flag("if-unsigned")
        order.signsPayload = invocation.flag("rpm-v3")
        order.headerFolder = invocation.text("header-only-output")
        return order
    }

    private func revocationLists() throws -> [CertificateRevocationList] {
        let paths = invocation.texts("crl")
        guard let first = paths.first else { return [] }
        for flag in ["strip", "detached", "cleartext", "rpm-v3"] where invocation.flag(flag) {
            guard flag == "detached", invocation.text("kind") == "cms" else {
                throw ConsoleError(
                    .badArguments, "--crl and --\(flag) do not go together",
                    remedy: "Leave one of them out: only signatures in CMS bring revocation lists along.")
            }
        }
        var keys = TrustedKeys()
        do {
            for path in paths {
                let bytes = try InputFile.read(path, limit: 16 << 20)
                try keys.add(revocationLists: bytes.span, name: path)
            }
        } catch {
            throw ConsoleError(
                .badArguments, (error as? any CodedError)?.message ?? "\(first) cannot be read")
        }
        return keys.revocationLists
    }

    /// Armor is a matter of OpenPGP signatures in files of their own.
    private func checkArmor(_ kind: String?) throws(ConsoleError) {
        let flags = ["armor", "no-armor"].filter { invocation.flag($0) }
        guard let flag = flags.first else { return }
        if flags.count == 2 {
            throw ConsoleError(
                .badArguments, "--armor and --no-armor do not go together", remedy: "Leave one of them out.")
        }
        if let kind, kind != "generic" {
            throw ConsoleError(
                .badArguments, "--\(flag) and the kind \(kind) do not go together",
                remedy: "Leave one of them out: only OpenPGP signatures beside files have an armor or none.")
        }
        for other in ["strip", "rpm-v3"] where invocation.flag(other) {
            throw ConsoleError(
                .badArguments, "--\(flag) and --\(other) do not go together",
                remedy: other == "strip"
                    ? "Leave --\(flag) out: FILE.asc and FILE.sig both go away." : "Leave one of them out.")
        }
        guard invocation.text("header-only-output") == nil else {
            throw ConsoleError(
                .badArguments, "--\(flag) and --header-only-output do not go together",
                remedy: "Leave one of them out.")
        }
    }

    /// Signing needs a key, and what says how to sign does not go together with what takes signatures away.
    private func checkKey() throws(ConsoleError) {
        if invocation.flag("strip") {
            for name in ["resign", "if-unsigned", "rpm-v3"] where invocation.flag(name) {
                throw ConsoleError(
                    .badArguments, "--strip and --\(name) do not go together",
                    remedy: "Strip first, then sign in a second run.")
            }
            guard invocation.text("header-only-output") == nil else {
                throw ConsoleError(
                    .badArguments, "--strip and --header-only-output do not go together",
                    remedy: "Leave one of them out.")
            }
            return
        }
        guard invocation.text("key") != nil else {
            throw ConsoleError(
                .badArguments, "the option --key is missing",
                remedy: "Name the key that is to sign, or set SIGNET_KEY.")
        }
        if invocation.flag("resign"), invocation.flag("if-unsigned") {
            throw ConsoleError(
                .badArguments, "--resign and --if-unsigned do not go together",
                remedy: "Leave one of them out: the one signs what is signed, the other leaves it alone.")
        }
    }
}
