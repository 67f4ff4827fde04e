// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Settings
import TestSupport
import Testing

@Suite struct SettingsReaderTests {
    private func sources(_ text: String, path: String = "/etc/signet/server.toml") throws -> SettingsSources {
        SettingsSources(files: [try SettingsFile(path: path, contents: Array(text.utf8))])
    }

    /// The message of what `decode` makes of `text`; nil if there is nothing to complain about.
    private func complaint(_ text: String, _ decode: (SettingsReader) -> Void) throws -> String? {
        do {
            _ = try sources(text, path: "s.toml").read(decode)
            return nil
        } catch let error as SettingsError {
            return error.message
        }
    }

    // MARK: Kinds

    enum Level: Sendable { case low, high }

    @Test func readsEveryKind() throws {
        let text = """
            s = "x"
            i = 0x10
            n = 1
            b = true
            d = "1h30m"
            z = "4MiB"
            zi = 512
            p = "keys/ca.pem"
            pa = "/ca.pem"
            c = "two"
            l = ["a", "b"]
            li = [1, 2]
            level = "high"
            """
        let (_, report) = try sources(text).read { settings in
            #expect(settings.required("s", .string) == "x")
            #expect(settings.required("i", .integer) == 16)
            #expect(settings.required("n", .number(in: 0...2)) == 1.0)
            #expect(settings.required("b", .boolean))
            #expect(settings.required("d", .duration) == .seconds(5400))
            #expect(settings.required("z", .size) == 4 << 20)
            #expect(settings.required("zi", .size(in: 1...1024)) == 512)
            #expect(settings.required("p", .path) == "/etc/signet/keys/ca.pem")
            #expect(settings.required("pa", .path) == "/ca.pem")
            #expect(settings.required("c", .choice(["one", "two"])) == "two")
            #expect(settings.required("l", .list(of: .string)) == ["a", "b"])
            #expect(settings.required("li", .list(of: .integer, count: 1...2)) == [1, 2])
            let levels: SettingKind<Level> = .choice(["low": .low, "high": .high])
            #expect(settings.value("level", levels, default: .low) == .high)
            #expect(settings.value("other", levels, default: .low) == .low)
            #expect(settings.optional("none", .string) == nil)
        }
        let expected = """
            s = "x"  # /etc/signet/server.toml:1:5
            i = 16  # /etc/signet/server.toml:2:5
            n = 1.0  # /etc/signet/server.toml:3:5
            b = true  # /etc/signet/server.toml:4:5
            d = "1h30m"  # /etc/signet/server.toml:5:5
            z = "4MiB"  # /etc/signet/server.toml:6:5
            zi = "512B"  # /etc/signet/server.toml:7:6
            p = "/etc/signet/keys/ca.pem"  # /etc/signet/server.toml:8:5
            pa = "/ca.pem"  # /etc/signet/server.toml:9:6
            c = "two"  # /etc/signet/server.toml:10:5
            l = ["a", "b"]  # /etc/signet/server.toml:11:5
            li = [1, 2]  # /etc/signet/server.toml:12:6
            level = "high"  # /etc/signet/server.toml:13:9
            other = "low"  # default
            # none is not set

            """
        #expect(report.text(origins: true) == expected)
    }

    /// A value that is refused: the setting `v`, its kind, and what is said.
    @Test func refusesValuesOfOtherKinds() throws {
        let levels: SettingKind<Level> = .choice(["low": .low, "high": .high])
        let cases: [(String, (SettingsReader) -> Void, String)] = [
            ("1", { _ = $0.required("v", .string) }, "expected a string, not 1"),
            ("[]", { _ = $0.required("v", .string) }, "expected a string, not an array"),
            ("'1'", { _ = $0.required("v", .integer) }, "expected an integer"),
            (
                "70000", { _ = $0.required("v", .integer(in: 1...65535)) },
                "expected an integer from 1 to 65535, not 70000"
            ),
            ("1.5", { _ = $0.required("v", .integer) }, "expected an integer, not 1.5"),
            (
                "nan", { _ = $0.required("v", .number(in: 0...1)) },
                "expected a number from 0.0 to 1.0, not nan"
            ),
            ("'true'", { _ = $0.required("v", .boolean) }, "expected true or false"),
            (
                "5", { _ = $0.required("v", .duration) },
                "expected a duration such as 90d, 1h30m or 500ms, not 5"
            ),
            (
                "'2h'", { _ = $0.required("v", .duration(in: .seconds(1) ... .seconds(3600))) },
                "expected a duration such as 90d, 1h30m or 500ms from 1s to 1h"
            ),
            ("'4MB'", { _ = $0.required("v", .size) }, "expected a size such as 64KiB or 4MiB"),
            ("-1", { _ = $0.required("v", .size) }, "expected a size such as 64KiB or 4MiB, not -1"),
            (
                "''", { _ = $0.required("v", .path) },
                "expected a path on one line; name the file, not what it holds"
            ),
            (
                "\"a\\nb\"", { _ = $0.required("v", .path) },
                "expected a path on one line; name the file, not what it holds"
            ),
            ("'hgih'", { _ = $0.required("v", levels) }, "expected one of low, high; did you mean `high`?"),
            ("'x'", { _ = $0.required("v", .choice(["low", "high"])) }, "expected one of low, high"),
            ("'a'", { _ = $0.required("v", .list(of: .string)) }, "expected a list, each a string"),
            ("[1, 'x']", { _ = $0.required("v", .list(of: .integer)) }, "element 2: expected an integer"),
            (
                "[]", { _ = $0.required("v", .list(of: .integer, count: 1 ... .max)) },
                "expected a list (1 or more), each an integer, not 0"
            ),
            ("2026-01-01", { _ = $0.required("v", .string) }, "expected a string, not a date or time"),
            ("{a = 1}", { _ = $0.required("v", .string) }, "expected a string, not a table"),
        ]
        for (value, decode, expected) in cases {
            #expect(try complaint("v = \(value)", decode) == "s.toml:1:5: `v`: " + expected)
        }
    }

    // MARK: Problems

    @Test func allProblemsAtOnceInTheOrderOfTheFile() throws {
        let text = """
            [databse]
            host = "x"

            [server]
            port = 70000
            adress = "y"
            password = "hunter2"
            """
        let message = try complaint(text) { settings in
            let server = settings.section("server")
            _ = server.required("missing", .duration)
            _ = server.value("port", .integer(in: 1...65535), default: 1)
            _ = server.value("address", .string, default: "")
            _ = server.optional("password_file", .path)
            _ = settings.section("database").optional("host", .string)
        }
        #expect(
            message == """
                s.toml:1:2: unknown setting `databse`; did you mean `database`?
                s.toml:4:1: `server.missing` is not set (a duration such as 90d, 1h30m or 500ms); \
                add it under [server], or set SIGNET_SERVER__MISSING
                s.toml:5:8: `server.port`: expected an integer from 1 to 65535, not 70000
                s.toml:6:1: unknown setting `adress` in [server]; did you mean `address`?
                s.toml:7:1: `password` would be a secret, and a secret is never a value; \
                write it to a file of mode 0600 and name the file in `password_file`
                """)
    }

    @Test func theCodeIsThatOfTheProblemsWhenTheyAgree() throws {
        func code(_ text: String) throws -> ErrorCode? {
            do {
                _ = try sources(text).read { $0.value("a", .integer, default: 1) }
                return nil
            } catch let error as SettingsError { return error.code }
        }
        #expect(try code("a = 1") == nil)
        #expect(try code("a = 'x'") == .settingInvalid)
        #expect(try code("b = 1\nc = 1") == .settingUnknown)
        #expect(try code("a = 'x'\nb = 1") == .badConfiguration)
        #expect(try code("a = 'x'\nb = 1")?.category.exit == 2)
    }

    @Test func aSectionIsNoValue() throws {
        #expect(
            try complaint("a = 1") { _ = $0.section("a").optional("b", .string) }
                == "s.toml:1:5: `a` is a section; write [a]")
        #expect(
            try complaint("[a]") { _ = $0.list("a") } == "s.toml:1:1: `a` is a list of tables; write [[a]]")
        #expect(
            try complaint("a = [1]") { _ = $0.list("a") }
                == "s.toml:1:5: `a` is a list of tables; write [[a]]")
    }

    @Test func ownChecks() throws {
        let message = try complaint("[a]\nmin = 2\nmax = 1") { settings in
            let section = settings.section("a")
            if section.required("min", .integer) > section.required("max", .integer) {
                section.refuse("max", because: "is below min; raise it")
            }
        }
        #expect(message == "s.toml:3:7: `a.max` is below min; raise it")
    }

    @Test(.timeLimit(.minutes(1))) func manyProblemsStayCheap() throws {
        for text in [
            "l = [" + String(repeating: "{a = 1},", count: 20_000) + "]",
            (0..<20_000).map { "k\($0)=1\n" }.joined(),
        ] {
            let message = try #require(
                try complaint(text) { settings in
                    for element in settings.list("l") { _ = element.optional("b", .string) }
                    for name in ["key", "kind", "kilo"] { _ = settings.optional(name, .integer) }
                })
            let lines = message.split(separator: "\n")
            #expect(lines.count == 101)
            #expect(lines.last == "there are 19900 more problems; mend these first")
        }
    }

    @Test func malformedFile() {
        #expect(throws: SettingsError.self) { try sources("a = ") }
        do { _ = try sources("a = ") } catch let error as SettingsError {
            #expect(error.code == .settingsMalformed)
            #expect(
                error.message
                    == "/etc/signet/server.toml:1:5: a value is missing here; write one after the =")
        } catch { Issue.record("\(error)") }
    }

    // MARK: Tables of tables

    @Test func sectionsNamedByTheUser() throws {
        let text = "[kms.main]\nurl = 'u'\n[kms.\"a.b\"]\nurl = 'v'\nx = 1"
        var names: [String] = []
        let message = try complaint(text) { settings in
            for (name, section) in settings.sections("kms") {
                names.append(name)
                _ = section.required("url", .string)
            }
        }
        #expect(names == ["main", "a.b"])
        #expect(
            message == "s.toml:5:1: unknown setting `x` in [kms.\"a.b\"]; remove it, or check its spelling")
    }

    @Test func listsOfTables() throws {
        var ports: [Int] = []
        let message = try complaint("[[l]]\nport = 1\n[[l]]\nport = 'x'\n[[l]]\nprot = 3\n") { settings in
            for listener in settings.list("l") { ports.append(listener.value("port", .integer, default: 9)) }
        }
        #expect(ports == [1, .min, 9])
        #expect(
            message == """
                s.toml:4:8: `l.2.port`: expected an integer
                s.toml:6:1: unknown setting `prot` in [l]; did you mean `port`?
                """)
    }

    @Test func optionalAndForeignSections() throws {
        let message = try complaint("[a]\nx = 1\n[other]\nanything = 1") { settings in
            #expect(settings.optionalSection("a")?.required("x", .integer) == 1)
            #expect(settings.optionalSection("b") == nil)
            settings.ignore("other")
        }
        #expect(message == nil)
    }

    // MARK: Secrets

    @Test(arguments: [
        "mysql://root:hunter2@db/x", "https://u:hunter2@h:8443/", "postgres://u:hunter2@h?x#y",
        "-----BEGIN PRIVATE KEY-----\\nhunter2", "x -----BEGIN RSA PRIVATE KEY-----\\nhunter2",
    ])
    func literalSecretsAreRefusedAndNotShown(_ value: String) throws {
        let message = try #require(try complaint("v = \"\(value)\"") { _ = $0.required("v", .string) })
        #expect(message.hasPrefix("s.toml:1:5: `v`: holds a "))
        #expect(!message.contains("hunter2"))
    }

    @Test(arguments: ["mysql://root@db/x", "https://h:8443/a@b:c", "a:b@c", "mailto:a@b", "https://u:@h"])
    func addressesWithoutSecretsAreTaken(_ value: String) throws {
        #expect(try complaint("v = \"\(value)\"") { _ = $0.required("v", .string) } == nil)
    }

    @Test func noMessageShowsAText() throws {
        let text =
            "a = 'hunter2'\nb = 'hunter2'\nc = ['hunter2']\nd = 'hunter2'\ne = 'hunter2'\nf = 'hunter2'"
        let message = try #require(
            try complaint(text) {
                _ = $0.required("a", .integer)
                _ = $0.required("b", .duration)
                _ = $0.required("c", .list(of: .size))
                _ = $0.required("d", .choice(["x", "y"]))
                _ = $0.section("e")
            })
        #expect(message.split(separator: "\n").count == 6)
        #expect(!message.contains("hunter2"))
    }

    @Test func aSecretCannotBeDeclared() async {
        await #expect(processExitsWith: .failure) {
            _ = try SettingsSources().read { $0.optional("password", .string) }
        }
        await #expect(processExitsWith: .failure) {
            _ = try SettingsSources().read { $0.optional("kms_token", .list(of: .string)) }
        }
        await #expect(processExitsWith: .success) {
            _ = try SettingsSources().read {
                ($0.optional("password_file", .path), $0.optional("token_life", .duration))
            }
        }
    }
}
