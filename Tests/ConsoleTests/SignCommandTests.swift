// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Console

@Suite struct SignCommandTests {
    static let reports: [FileReport] = [
        FileReport("a.rpm", kind: "rpm", .signed(by: "one")),
        FileReport("b.rpm", kind: "rpm", tries: 2, .signed(by: "two")),
        FileReport("c.txt", .skipped("no known kind")),
        FileReport(
            "d\u{1b}[2J.rpm", kind: "rpm", .failed(FileFailure(.notGranted, "no grant", remedy: "ask"))),
    ]

    static func bench() -> Bench { Bench(signer: Scripted(reports: reports)) }

    @Test func tellsInText() async {
        let bench = Self.bench()
        #expect(await bench.run("sign", "--key", "release", ".") == 1)
        #expect(
            bench.paper.out == "2 signed, 1 skipped, 1 failed, 1 retried, in 0.0 s\n  1 by one\n  1 by two\n")
        #expect(bench.paper.notes == "d\\u{1b}[2J.rpm: no grant [not-granted]\n  ask\n")
    }

    @Test func tellsEachFile() async {
        let bench = Self.bench()
        #expect(await bench.run("sign", "-vk", "release", ".") == 1)
        #expect(
            bench.paper.out.hasPrefix(
                "a.rpm: signed by one\nb.rpm: signed by two\nc.txt: skipped, no known kind\n"))
    }

    @Test func tellsInJSON() async throws {
        let bench = Self.bench()
        #expect(await bench.run("sign", "--key", "release", "-o", "json", ".") == 1)
        #expect(bench.paper.notes.isEmpty)
        let document = try bench.paper.json()
        #expect(document["schema"] as? Int == 1)
        let files = try #require(document["files"] as? [[String: Any]])
        #expect(files.map { $0["status"] as? String } == ["signed", "signed", "skipped", "failed"])
        #expect((files[3]["error"] as? [String: Any])?["code"] as? String == "not-granted")
        let summary = try #require(document["summary"] as? [String: Any])
        #expect(summary["done"] as? Int == 2 && summary["retried"] as? Int == 1)
        #expect(summary["servers"] as? [String: Int] == ["one": 1, "two": 1])
        #expect(summary["status"] as? Int == 1)
    }

    @Test func tellsInLinesOfJSON() async throws {
        let bench = Self.bench()
        #expect(await bench.run("sign", "--key", "release", "-o", "jsonl", ".") == 1)
        let lines = bench.paper.out.split(separator: "\n")
        #expect(lines.count == 5)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["schema"] as? Int == 1)
        }
        #expect(lines.last?.contains(#""summary":true"#) == true)
    }

    @Test func drawsOnATerminalAlone() async {
        var bench = Self.bench()
        bench.columns = 80
        _ = await bench.run("sign", "-k", "release", ".")
        let reporter = RunReporter(RunReporter.Style(), on: bench.paper.screen(columns: 80)) { .zero }
        reporter.found(files: 2)
        reporter.finished(Self.reports[0])
        reporter.tick()
        #expect(bench.paper.notes.contains("\r\u{1b}[2K["))
        let quiet = Paper()
        var style = RunReporter.Style()
        style.form = .json
        let json = RunReporter(style, on: quiet.screen(columns: 80)) { .seconds(100) }
        json.found(files: 2)
        json.tick()
        #expect(quiet.notes.isEmpty)
    }

    @Test(arguments: [(OutputForm.text, "waiting: nobody answers [unavailable]\n"), (.json, "")])
    func saysThatItWaits(_ form: OutputForm, _ text: String) {
        let paper = Paper()
        var style = RunReporter.Style()
        style.form = form
        RunReporter(style, on: paper.screen()) { .zero }.waiting(FileFailure(.unavailable, "nobody answers"))
        #expect(paper.notes == text && paper.out.isEmpty)
    }

    @Test func writesLinesElsewhere() {
        let paper = Paper()
        let time = Lock(Duration.zero)
        let reporter = RunReporter(RunReporter.Style(), on: paper.screen()) { time.withLock { $0 } }
        reporter.found(files: 2)
        reporter.tick()
        time.withLock { $0 = .seconds(5) }
        reporter.tick()
        reporter.tick()
        #expect(paper.notes == "0 of 2 files\n")
    }

    @Test func hasItsOrderFromTheCommandLine() async {
        let bench = Bench()
        #expect(await bench.run("sign", "-k", "k", "-d", "--out-dir", "o", "--resign", "a", "b") == 0)
        let order = bench.signer.orders.withLock { $0.first }
        #expect(
            order == FileOrder(paths: ["a", "b"], key: "k", kind: "generic", folder: "o", resigns: true))
        #expect(
            await bench.run(
                "sign", "-k", "k", "--if-unsigned", "--rpm-v3", "--header-only-output", "h", "a") == 0)
        var headers = FileOrder(paths: ["a"], key: "k")
        (headers.leavesSigned, headers.signsPayload, headers.headerFolder) = (true, true, "h")
        #expect(bench.signer.orders.withLock { $0.last } == headers)
        #expect(await bench.run("sign", "-k", "k", "--if-unsigned", "--resign", "a") == 2)
        #expect(await bench.run("sign", "-k", "k", "-d", "--kind", "rpm", "a") == 2)
        #expect(await bench.run("sign", "-k", "k", "--cleartext", "a") == 0)
        #expect(bench.signer.orders.withLock { $0.last }?.kind == "cleartext")
        #expect(await bench.run("sign", "-k", "k", "--cleartext", "-d", "a") == 2)
        #expect(await bench.run("sign", "-k", "k", "-d", "--kind", "module", "a") == 0)
        let module = bench.signer.orders.withLock { $0.last }
        #expect(module == FileOrder(paths: ["a"], key: "k", kind: "module", isDetached: true))
        #expect(await bench.run("sign", "a") == 2)
        #expect(await bench.run("sign", "-k", "k", "--kind", "word", "a") == 2)
    }

    @Test func takesRevocationLists() async throws {
        let bench = Bench()
        let folder = try TemporaryFolder()
        let list = Repository.root + "/Fuzz/Corpus/revocation-list/issuing"
        #expect(await bench.run("sign", "-k", "k", "--crl", list, "a") == 0)
        #expect(bench.signer.orders.withLock { $0.last?.revocationLists.count } == 1)
        let text = try folder.write("text", "none")
        #expect(await bench.run("sign", "-k", "k", "--crl", text, "a") == 2)
        #expect(await bench.run("sign", "-k", "k", "--crl", folder.path + "/nothing", "a") == 2)
        for option in ["--strip", "--cleartext", "--detached", "--rpm-v3"] {
            #expect(await bench.run("sign", "-k", "k", "--crl", list, option, "a") == 2)
        }
    }

    /// Armor is for OpenPGP signatures in files of their own.
    @Test func armorGoesWithPlainFilesAlone() async {
        let bench = Bench()
        var order = FileOrder(paths: ["a"], key: "k")
        for (options, kind, isBinary) in [
            (["--no-armor"], nil, true), (["--no-armor", "-d"], "generic", true),
            (["--no-armor", "--kind", "generic"], "generic", true), (["--armor", "-d"], "generic", false),
        ] {
            #expect(await bench.run(["sign", "-k", "k", "a"] + options) == 0)
            (order.kind, order.isBinary) = (kind, isBinary)
            #expect(bench.signer.orders.withLock { $0.last } == order)
        }
        for options in [
            ["--armor"], ["--cleartext"], ["--kind", "rpm"], ["--kind", "cms"], ["-d", "--kind", "module"],
            ["--rpm-v3"], ["--header-only-output", "h"], ["--strip"],
        ] {
            let before = bench.signer.orders.withLock { $0.count }
            #expect(await bench.run(["sign", "-k", "k", "--no-armor", "a"] + options) == 2, "\(options)")
            #expect(bench.signer.orders.withLock { $0.count } == before)
        }
        #expect(
            bench.paper.notes.contains("--no-armor and --strip do not go together"), "\(bench.paper.notes)")
    }

    /// Taking signatures away needs no key and asks no server.
    @Test func strips() async {
        var bench = Bench()
        bench.signer = Scripted(reports: [FileReport("a.rpm", .signed(by: nil))])
        #expect(await bench.run("sign", "--strip", "-v", "a.rpm") == 0)
        #expect(bench.signer.orders.withLock { $0.isEmpty })
        #expect(bench.signer.stripped.withLock { $0 } == [FileOrder(paths: ["a.rpm"], key: "")])
        #expect(bench.paper.out.contains("a.rpm: stripped"), "\(bench.paper.out)")
        for option in ["--resign", "--if-unsigned", "--rpm-v3"] {
            #expect(await bench.run("sign", "--strip", option, "a") == 2)
        }
        #expect(await bench.run("sign", "--strip", "--header-only-output", "h", "a") == 2)
        #expect(await bench.run("sign", "--strip", "--dry-run", "a") == 0)
        #expect(bench.signer.stripped.withLock { $0.last?.isDry } == true)
    }

    @Test(arguments: [
        (ErrorCode.notGranted, Int32(3)), (.keyNotFound, 4), (.unavailable, 5), (.settingsUnreadable, 2),
    ]) func endsWithTheCauseThatStoppedIt(_ code: ErrorCode, _ status: Int32) async throws {
        let bench = Bench(signer: Scripted(error: ConsoleError(code, "stopped")))
        #expect(await bench.run("sign", "-k", "k", "-o", "json", "a") == status)
        let error = try #require(try bench.paper.json()["error"] as? [String: Any])
        #expect(error["code"] as? String == code.id)
        #expect(error["remedy"] as? String == code.remedy)
    }
}
