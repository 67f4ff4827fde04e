// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Settings
import Testing

@Suite struct CommandParsingTests {
    private func run(_ line: String, _ environment: [String: String] = [:]) throws -> Invocation {
        let words = line.split(separator: " ").map(String.init)
        guard case .run(let invocation) = try CommandTree.sample.parse(words, environment: environment) else {
            throw UnexpectedText()
        }
        return invocation
    }

    private struct UnexpectedText: Error {}

    /// What an invocation of `sign` says, on one line.
    private func shown(_ invocation: Invocation) -> String {
        let texts = ["output", "key", "concurrency", "timeout", "chunk", "token-file"].compactMap { name in
            invocation.text(name).map { "\(name)=\($0)" }
        }
        let flags = ["detached", "dry-run"].filter { invocation.flag($0) }
        let verbose = invocation.count("verbose")
        let more = invocation.texts("exclude-files-of-list").map { "exclude=" + $0 }
        return (texts + flags + more + (verbose > 0 ? ["verbose*\(verbose)"] : [])).joined(separator: " ")
            + " | " + invocation.arguments("PATH").joined(separator: " ")
    }

    @Test(arguments: [
        ("sign --key a f", "output=text key=a timeout=30s | f"),
        ("sign --key=a f", "output=text key=a timeout=30s | f"),
        ("sign -k a f", "output=text key=a timeout=30s | f"),
        ("sign -ka f", "output=text key=a timeout=30s | f"),
        ("sign -dnka f", "output=text key=a timeout=30s detached dry-run | f"),
        ("sign -dnk a f", "output=text key=a timeout=30s detached dry-run | f"),
        ("sign f g -k a h", "output=text key=a timeout=30s | f g h"),
        ("-o json sign -k a f", "output=json key=a timeout=30s | f"),
        ("sign -o json -k a f", "output=json key=a timeout=30s | f"),
        ("-v sign -vv -k a f -v", "output=text key=a timeout=30s verbose*4 | f"),
        ("sign -k a -- -d --key", "output=text key=a timeout=30s | -d --key"),
        ("sign -k a -- --", "output=text key=a timeout=30s | --"),
        ("sign -k a -", "output=text key=a timeout=30s | -"),
        ("sign -k - f", "output=text key=- timeout=30s | f"),
        ("sign --key=-a f", "output=text key=-a timeout=30s | f"),
        ("sign --key= f", "output=text key= timeout=30s | f"),
        ("sign --key=a=b f", "output=text key=a=b timeout=30s | f"),
        ("sign -k a key list", "output=text key=a timeout=30s | key list"),
        (
            "sign -k a --timeout 1h30m --chunk 4MiB --concurrency 512 f",
            "output=text key=a concurrency=512 timeout=1h30m chunk=4MiB | f"
        ),
        (
            "sign -k a --exclude-files-of-list x --exclude-files-of-list=y f",
            "output=text key=a timeout=30s exclude=x exclude=y | f"
        ),
        ("sign -k é 日本", "output=text key=é timeout=30s | 日本"),
    ])
    func good(_ line: String, _ expected: String) throws {
        let invocation = try run(line)
        #expect(invocation.path == ["sign"])
        #expect(shown(invocation) == expected)
    }

    @Test func nestedCommandsAndPlaces() throws {
        let list = try run("key list")
        #expect(list.path == ["key", "list"])
        #expect(list.argument("PATTERN") == nil)
        #expect(try run("key list a*").argument("PATTERN") == "a*")
        let rename = try run("key rename a b")
        #expect([rename.argument("OLD"), rename.argument("NEW")] == ["a", "b"])
        let copy = try run("copy a b c")
        #expect(copy.arguments("SOURCE") == ["a", "b"])
        #expect(copy.arguments("FOLDER") == ["c"])
    }

    @Test func typedValues() throws {
        let invocation = try run("sign -k a --timeout 90s --chunk 64KiB --concurrency 8 f")
        #expect(invocation.duration("timeout") == .seconds(90))
        #expect(invocation.size("chunk") == 65536)
        #expect(invocation.integer("concurrency") == 8)
        #expect(try run("sign -k a f").integer("concurrency") == nil)
    }

    @Test func variablesStandIn() throws {
        let environment = ["SIGNET_OUTPUT": "json", "SIGNET_KEY": "b", "SIGNET_DRY_RUN": "1"]
        let invocation = try run("sign f", environment)
        #expect(shown(invocation) == "output=json key=b timeout=30s dry-run | f")
        #expect(invocation.origin("key") == .variable("SIGNET_KEY"))
        #expect(invocation.origin("timeout") == .builtIn)
        let given = try run("sign -k a -o text f", environment)
        #expect(given.text("key") == "a")
        #expect(given.text("output") == "text")
        #expect(given.origin("key") == .argument("--key"))
        #expect(!(try run("sign f", ["SIGNET_KEY": "b", "SIGNET_DRY_RUN": "0"])).flag("dry-run"))
    }

    @Test func optionsOverrideSettings() throws {
        let invocation = try run(
            "--set client.retries=3 sign -k a -n --concurrency 8 --set client.retries=4 f")
        let (values, report) = try SettingsSources(
            environment: ["SIGNET_CLIENT__CONCURRENCY": "2"], overrides: invocation.overrides
        ).read { settings in
            let client = settings.section("client")
            return
                "\(client.value("retries", .integer, default: 1)) \(client.value("concurrency", .integer, default: 1))"
                + " \(client.value("dry_run", .boolean, default: false))"
        }
        #expect(values == "4 8 true")
        #expect(
            report.entries.map(\.origin.description) == [
                "--set client.retries", "--concurrency", "--dry-run",
            ])
    }

    @Test(arguments: [
        ("", "sig-net: a command is missing: sign, key, copy; see `sig-net --help`"),
        ("key", "sig-net key: a command is missing: list, rename, names; see `sig-net key --help`"),
        ("sgin", "sig-net: unknown command `sgin`; did you mean `sign`?; see `sig-net --help`"),
        ("frobnicate", "sig-net: unknown command `frobnicate`; see `sig-net --help`"),
        ("key lsit", "sig-net key: unknown command `lsit`; did you mean `list`?; see `sig-net key --help`"),
        ("sign f", "sig-net sign: --key is needed (or the variable SIGNET_KEY); see `sig-net sign --help`"),
        ("sign -k a", "sig-net sign: PATH is missing; see `sig-net sign --help`"),
        ("sign -k", "sig-net sign: -k needs a value; see `sig-net sign --help`"),
        ("sign --key", "sig-net sign: --key needs a value; see `sig-net sign --help`"),
        (
            "sign -k --detached f",
            "sig-net sign: -k needs a value; attach one that begins with a hyphen; see `sig-net sign --help`"
        ),
        ("sign -k a -k b f", "sig-net sign: --key is given twice; see `sig-net sign --help`"),
        ("sign -k a -d -d f", "sig-net sign: --detached is given twice; see `sig-net sign --help`"),
        ("sign -k a --detached=yes f", "sig-net sign: --detached takes no value; see `sig-net sign --help`"),
        (
            "sign --kye=hunter2 f",
            "sig-net sign: unknown option `--kye`; did you mean `--key`?; see `sig-net sign --help`"
        ),
        (
            "sign --token=hunter2 f",
            "sig-net sign: unknown option `--token`; a secret is never an argument, "
                + "write it to a file and use --token-file; see `sig-net sign --help`"
        ),
        ("sign -x f", "sig-net sign: unknown option `-x`; see `sig-net sign --help`"),
        (
            "--key a sign f",
            "sig-net: unknown option `--key`; it belongs behind `sig-net sign`; see `sig-net --help`"
        ),
        (
            "-k a sign f",
            "sig-net: unknown option `-k`; it belongs behind `sig-net sign`; see `sig-net --help`"
        ),
        ("--help=x", "sig-net: --help takes no value; see `sig-net --help`"),
        ("-o xml key list", "sig-net: --output: expected one of text, json; see `sig-net --help`"),
        (
            "-o josn key list",
            "sig-net: --output: expected one of text, json; did you mean `json`?; see `sig-net --help`"
        ),
        (
            "sign -k a --concurrency 0 f",
            "sig-net sign: --concurrency: expected an integer from 1 to 512; see `sig-net sign --help`"
        ),
        (
            "sign -k a --concurrency x f",
            "sig-net sign: --concurrency: expected an integer from 1 to 512; see `sig-net sign --help`"
        ),
        (
            "sign -k a --timeout 5 f",
            "sig-net sign: --timeout: expected a duration such as 90d, 1h30m or 500ms; see `sig-net sign --help`"
        ),
        (
            "sign -k a --chunk 4MB f",
            "sig-net sign: --chunk: expected a size such as 64KiB or 4MiB; see `sig-net sign --help`"
        ),
        (
            "sign -k a --token-file= f",
            "sig-net sign: --token-file: expected a path; see `sig-net sign --help`"
        ),
        (
            "--set a key list",
            "sig-net: --set: column 2: there is no value; write section.key=value; see `sig-net --help`"
        ),
        (
            "key list a b",
            "sig-net key list: there are more arguments than it takes; see `sig-net key list --help`"
        ),
        ("key names hunter2", "sig-net key names: it takes no arguments; see `sig-net key names --help`"),
        ("key rename a", "sig-net key rename: NEW is missing; see `sig-net key rename --help`"),
        ("copy a", "sig-net copy: FOLDER is missing; see `sig-net copy --help`"),
        ("help sing", "sig-net: unknown command `sing`; did you mean `sign`?; see `sig-net --help`"),
        ("help key list x", "sig-net key list: there is no command below it; see `sig-net key list --help`"),
    ])
    func bad(_ line: String, _ message: String) {
        do {
            _ = try run(line)
            Issue.record("understood")
        } catch let error as UsageError {
            #expect(error.message == message)
            #expect(error.code.category.exit == 2)
        } catch { Issue.record("\(error)") }
    }

    @Test func badVariables() {
        for (environment, message) in [
            (["SIGNET_OUTPUT": "hunter2"], "SIGNET_OUTPUT: expected one of text, json"),
            (["SIGNET_DRY_RUN": "hunter2"], "SIGNET_DRY_RUN: expected true or false"),
        ] {
            do {
                _ = try run("sign -k a f", environment)
                Issue.record("understood")
            } catch let error as UsageError {
                #expect(error.problem == message)
            } catch { Issue.record("\(error)") }
        }
    }

    @Test func aSecretCannotBeDeclared() async {
        await #expect(processExitsWith: .failure) { _ = CommandOption.value("token", "TOKEN", "a token") }
        await #expect(processExitsWith: .failure) {
            _ = CommandOption.value("kms-password", "X", "a password")
        }
        await #expect(processExitsWith: .success) {
            _ = CommandOption.value("token-file", "FILE", "a token", .file)
        }
    }
}
