// SPDX-License-Identifier: Apache-2.0

import Foundation
import Settings
import TestSupport
import Testing

@Suite struct SettingsSourcesTests {
    private func file(_ path: String, _ text: String) throws -> SettingsFile {
        try SettingsFile(path: path, contents: Array(text.utf8))
    }

    private func complaint(_ sources: SettingsSources, _ decode: (SettingsReader) -> Void) -> String? {
        do {
            _ = try sources.read(decode)
            return nil
        } catch { return error.message }
    }

    // MARK: Precedence

    /// Which of the four sources give each of three settings; the strongest one has to win, whatever the others say.
    @Test(arguments: 0..<16)
    func precedence(_ given: Int) throws {
        let names = ["data-server.port", "memory.kms-provider.slot_id", "top"]
        let variables = ["SIGNET_DATA_SERVER__PORT", "SIGNET_MEMORY__KMS_PROVIDER__SLOT_ID", "SIGNET_TOP"]
        let text = { (value: Int) in
            "top = \(value)\n[data-server]\nport = \(value)\n[memory.kms-provider]\nslot_id = \(value)\n"
        }
        var sources = SettingsSources()
        if given & 1 != 0 { sources.files.append(try file("/sys.toml", text(1))) }
        if given & 2 != 0 { sources.files.append(try file("/user.toml", text(2))) }
        if given & 4 != 0 { for variable in variables { sources.environment[variable] = "4" } }
        if given & 8 != 0 {
            for name in names {
                sources.overrides.append(try SettingsOverride(assignment: name + "=7"))
                sources.overrides.append(try SettingsOverride(assignment: name + "=8"))
            }
        }
        let (values, report) = try sources.read { settings in
            [
                settings.section("data-server").value("port", .integer, default: 0),
                settings.section("memory").section("kms-provider").value("slot_id", .integer, default: 0),
                settings.value("top", .integer, default: 0),
            ]
        }
        let strongest = given == 0 ? 0 : 1 << (given.bitWidth - 1 - given.leadingZeroBitCount)
        #expect(values == [strongest, strongest, strongest])
        let origins: [Int: [String]] = [
            0: ["default", "default", "default"], 1: ["/sys.toml:3:8", "/sys.toml:5:11", "/sys.toml:1:7"],
            2: ["/user.toml:3:8", "/user.toml:5:11", "/user.toml:1:7"], 4: variables,
            8: names.map { "--set " + $0 },
        ]
        #expect(report.entries.map(\.origin.description) == origins[strongest])
    }

    @Test func filesAreLaidOverOneAnother() throws {
        let sources = SettingsSources(files: [
            try file("/a", "[s]\nx = 1\ny = 1\nl = [1, 2]\n[[t]]\nn = 1\n[[t]]\nn = 2\n[k.a]\nv = 1"),
            try file("/b", "[s]\ny = 2\nl = [3]\n[[t]]\nn = 3\n[k.b]\nv = 2\n[k.a]\nw = 5"),
        ])
        let (text, _) = try sources.read { settings -> String in
            let section = settings.section("s")
            let list = settings.list("t").map { $0.required("n", .integer) }
            let kept = settings.sections("k").map { name, inner in
                "\(name)\(inner.required("v", .integer))\(inner.value("w", .integer, default: 0))"
            }
            let values = section.required("l", .list(of: .integer))
            return
                "\(section.required("x", .integer))\(section.required("y", .integer))\(values)\(list)\(kept)"
        }
        #expect(text == #"12[3][3]["a15", "b20"]"#)
    }

    // MARK: Text

    @Test func textBecomesEveryKind() throws {
        let sources = SettingsSources(
            environment: [
                "SIGNET_S": "a b", "SIGNET_I": "-7", "SIGNET_B": "true", "SIGNET_D": "90d",
                "SIGNET_Z": "64KiB",
                "SIGNET_P": "x/y", "SIGNET_C": "two", "SIGNET_L": "a, b,c", "SIGNET_T": #"["a,b", 'c']"#,
                "SIGNET_E": "",
                "SIGNET_N": "0.5",
            ])
        _ = try sources.read { settings in
            #expect(settings.required("s", .string) == "a b")
            #expect(settings.required("i", .integer) == -7)
            #expect(settings.required("b", .boolean))
            #expect(settings.required("d", .duration) == .seconds(90 * 86400))
            #expect(settings.required("z", .size) == 65536)
            #expect(settings.required("p", .path) == "x/y")
            #expect(settings.required("c", .choice(["one", "two"])) == "two")
            #expect(settings.required("l", .list(of: .string)) == ["a", "b", "c"])
            #expect(settings.required("t", .list(of: .string)) == ["a,b", "c"])
            #expect(settings.required("e", .list(of: .string)) == [])
            #expect(settings.required("n", .number(in: 0...1)) == 0.5)
        }
    }

    @Test func refusedTextNamesItsSource() {
        let sources = SettingsSources(
            environment: ["SIGNET_A__PORT": "hunter2"],
            overrides: [SettingsOverride(path: ["a", "size"], text: "hunter2", option: "--size")])
        #expect(
            complaint(sources) {
                _ = $0.section("a").required("port", .integer)
                _ = $0.section("a").required("size", .size)
            } == """
                SIGNET_A__PORT: `a.port`: expected an integer
                --size: `a.size`: expected a size such as 64KiB or 4MiB
                """)
    }

    // MARK: Unknown names

    @Test func unknownVariablesAndArguments() throws {
        let sources = SettingsSources(
            environment: [
                "SIGNET_DATABASE__HSOT": "x", "SIGNET_DATABASE__PASSWORD": "hunter2", "SIGNET_OTHER__X": "1",
                "SIGNET_LOG": "mine", "HOME": "/", "SIGNETX__Y": "1",
            ],
            overrides: [
                try SettingsOverride(assignment: "database.hots=x"),
                try SettingsOverride(assignment: "database.password=hunter2"),
                try SettingsOverride(assignment: "other.y=1"),
            ])
        #expect(
            complaint(sources) { settings in
                settings.ignore("other")
                let database = settings.section("database")
                _ = database.optional("host", .string)
                _ = database.optional("password_file", .path)
            } == """
                --set database.hots: unknown setting `database.hots`; did you mean `database.host`?
                --set database.password: `database.password` would be a secret, and a secret is never a value; \
                write it to a file of mode 0600 and name the file in `database.password_file`
                SIGNET_DATABASE__HSOT: unknown setting `SIGNET_DATABASE__HSOT`; did you mean `SIGNET_DATABASE__HOST`?
                SIGNET_DATABASE__PASSWORD: `SIGNET_DATABASE__PASSWORD` would be a secret, and a secret is never a \
                value; write it to a file of mode 0600 and name the file in `SIGNET_DATABASE__PASSWORD_FILE`
                """)
    }

    @Test func aVariableForTwoSettingsIsRefused() {
        let decode = { (settings: SettingsReader) in
            _ = settings.section("a").optional("b-c", .string)
            _ = settings.section("a").optional("b_c", .string)
        }
        #expect(complaint(SettingsSources(), decode) == nil)
        #expect(
            complaint(SettingsSources(environment: ["SIGNET_A__B_C": "x"]), decode)
                == "SIGNET_A__B_C: stands for both `a.b-c` and `a.b_c`; use --set instead")
    }

    @Test func argumentsMakeSectionsAndReachQuotedNames() throws {
        let sources = SettingsSources(
            files: [try file("/f", "[kms.\"A b\"]\nurl = 'x'")],
            environment: ["SIGNET_KMS__NEW__URL": "z"],
            overrides: [
                try SettingsOverride(assignment: "kms.\"A b\".url=y=z"),
                try SettingsOverride(assignment: "kms.new.slot=1"),
            ])
        let (values, _) = try sources.read { settings in
            settings.sections("kms").map { name, section in
                "\(name) \(section.required("url", .string)) \(section.value("slot", .integer, default: 0))"
            }
        }
        #expect(values == ["A b y=z 0", "new z 1"])
    }

    @Test(arguments: [
        (
            "",
            "--set: column 1: a key is missing here; "
                + "write it in letters, digits, - and _, or put it in quotes"
        ),
        ("a.b", "--set: column 4: there is no value; write section.key=value"),
        (
            "a..b=1",
            "--set: column 3: a key is missing here; "
                + "write it in letters, digits, - and _, or put it in quotes"
        ),
        ("\"a=1", "--set: column 1: a string does not end; close it with \" on the same line"),
    ])
    func malformedAssignment(_ text: String, _ message: String) {
        do {
            _ = try SettingsOverride(assignment: text)
            Issue.record("taken")
        } catch { #expect(error.message == message) }
    }

    // MARK: Files

    @Test func loadsFiles() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.toml", "ca = './tls/ca.pem'")
        let file = try #require(try SettingsFile.load(path))
        let (ca, _) = try SettingsSources(files: [file]).read { $0.required("ca", .path) }
        #expect(ca == folder.path + "/tls/ca.pem")
        #expect(try SettingsFile.load(folder.path + "/none.toml")?.path == nil)
    }

    @Test func unreadableFiles() throws {
        let folder = try TemporaryFolder()
        let large = try folder.write("large.toml", [UInt8](repeating: 0x20, count: (1 << 20) + 1))
        for (path, reason) in [
            (folder.path, "\(folder.path): Is a directory; check the path, its owner and its mode"),
            (
                large,
                "\(large):1:1: the file is larger than 1048576 bytes; split it, or check that it is the right file"
            ),
        ] {
            do {
                _ = try SettingsFile.load(path)
                Issue.record("loaded \(path)")
            } catch { #expect(error.message == reason) }
        }
    }
}
