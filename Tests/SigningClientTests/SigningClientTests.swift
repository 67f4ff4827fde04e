// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import SigningProtocol
import TestSupport
import Testing
import Transport

@testable import SigningClient

@Suite struct SigningClientTests {
    /// A folder of files, servers, and what became of a run.
    final class Farm: Sendable {
        let folder: TemporaryFolder
        let loops: EventLoops
        let outcomes = Lock<[FileOutcome]>([])
        let waits = Lock<[ErrorCode]>([])

        init() throws {
            folder = try TemporaryFolder()
            loops = try EventLoops(count: 1)
            try FileManager.default.createDirectory(atPath: dist, withIntermediateDirectories: true)
        }

        deinit { loops.stop() }

        var dist: String { folder.path + "/dist" }

        func addPackages(_ count: Int) throws {
            for number in 0..<count {
                var sample = SampleRPM()
                sample.name = "p\(number)"
                sample.payload = .noise(count: 3000 + number, seed: UInt64(number))
                try sample.write(to: "\(dist)/\(sample.fileName)")
            }
        }

        func sign(
            _ servers: [Endpoint], key: String = "release",
            settings change: (inout SigningClientSettings) -> Void = { _ in },
            order changeOrder: (inout SigningOrder) -> Void = { _ in }
        ) async throws -> SigningSummary {
            var settings = SigningClientSettings(servers: servers, security: .plain)
            settings.timeout = .seconds(20)
            settings.retryFor = .seconds(120)
            change(&settings)
            var order = SigningOrder(paths: [dist], key: key)
            changeOrder(&order)
            let client = SigningClient(settings, on: loops.all[0])
            outcomes.withLock { $0 = [] }
            return try await client.sign(order) { [self] event in
                if case .finished(let outcome) = event { outcomes.withLock { $0.append(outcome) } }
                if case .waiting(let code, _) = event { waits.withLock { $0.append(code) } }
            }
        }

        /// Whether the key `release` has signed each package, as rpm sees it.
        func packagesAreGood() throws -> Bool {
            let certificate = try folder.write("key.asc", try FarmKeys.shared.get().openPGP.armored)
            try Command.check(["rpmkeys", "--dbpath", folder.path + "/db", "--import", certificate])
            let output = try Command.run([
                "sh", "-c",
                "rpmkeys --dbpath \"$0/db\" --define '_pkgverify_level all' -K \"$0\"/dist/*.rpm",
                folder.path,
            ])
            return output.status == 0
        }
    }

    @Test(.needs(.program("rpmkeys"))) func signsOverAllServers() async throws {
        let farm = try Farm()
        let servers = try [FarmServer("a"), FarmServer("b")]
        defer { for server in servers { server.kill() } }
        try farm.addPackages(60)
        try farm.folder.write("dist/SHA256SUMS", "text\n")
        try farm.folder.write("dist/image", [UInt8](repeating: 9, count: 1_500_000))
        try farm.folder.write("dist/driver.ko", SampleModule.bytes())
        let summary = try await farm.sign(servers.map(\.endpoint))
        #expect(summary.signed == 62)
        #expect(summary.passedOver == 1)
        #expect(summary.failed == 0 && summary.retried == 0)
        #expect(summary.servers.count == 2)
        #expect(summary.servers.values.allSatisfy { $0 >= 10 }, "\(summary.servers)")
        #expect(try farm.packagesAreGood())
        for name in ["SHA256SUMS", "image"] {
            let certificate = try farm.folder.write("key.gpg", FarmKeys.shared.get().openPGP.encoded)
            try Command.check(
                ["gpgv", "--keyring", certificate, "\(farm.dist)/\(name).asc", "\(farm.dist)/\(name)"])
        }
        let outputs = Set(farm.outcomes.withLock { $0 }.compactMap(\.output))
        #expect(outputs == ["\(farm.dist)/SHA256SUMS.asc", "\(farm.dist)/image.asc"])

        // Once more: nothing is left to do. The signatures are files themselves now.
        let again = try await farm.sign(servers.map(\.endpoint))
        #expect(again.alreadySigned == 62 && again.signed == 0)
        #expect(again.failures.isEmpty && again.passedOver == 3)
        let anew = try await farm.sign(servers.map(\.endpoint), order: { $0.resigns = true })
        #expect(anew.signed == 62)
        #expect(try farm.packagesAreGood())
    }

    @Test func signsModules() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        let module = SampleModule.bytes(payload: 1_100_000)
        let path = try farm.folder.write("dist/driver.ko", module)
        try farm.folder.write("dist/README", "text")
        let summary = try await farm.sign([server.endpoint], key: "driver")
        #expect(summary.signed == 1 && summary.passedOver == 1)
        #expect(try farm.folder.read("dist/driver.ko").starts(with: module))
        #expect(try Command.check(["tail", "-c", "28", path]).text == "~Module signature appended~\n")
        #expect(try await farm.sign([server.endpoint], key: "driver").alreadySigned == 1)
    }

    @Test(.needs(.program("sbverify"))) func signsImages() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        let path = try farm.folder.write("dist/boot.efi", SampleImage().bytes)
        try farm.folder.write("dist/README", "text")
        let summary = try await farm.sign([server.endpoint], key: "images")
        #expect(summary.signed == 1 && summary.passedOver == 1)
        let root = try farm.folder.write("root.pem", FarmKeys.shared.get().images[1].pem)
        try Command.check(["sbverify", "--cert", root, path])
        #expect(try await farm.sign([server.endpoint], key: "images").alreadySigned == 1)
    }

    /// Any file at all, and never a signature.
    @Test func signsInCMS() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        let files = ["dist/README", "dist/boot.efi", "dist/empty"]
        for (name, content) in zip(files, [Array("text".utf8), SampleImage().bytes, []]) {
            try farm.folder.write(name, content)
        }
        #expect(try await farm.sign([server.endpoint], key: "contents").signed == 3)
        let root = try farm.folder.write("root.pem", FarmKeys.shared.get().contents[1].pem)
        for name in files {
            let path = farm.folder.path + "/" + name
            try Command.check([
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path + ".p7s", "-content",
                path,
                "-CAfile", root, "-out", "/dev/null",
            ])
        }
        let again = try await farm.sign([server.endpoint], key: "contents")
        #expect(again.alreadySigned == 3 && again.passedOver == 3 && again.signed == 0)
    }

    /// A second signer in CMS, and a revocation list that goes along.
    @Test func severalSignersInCMS() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        let path = try farm.folder.write("dist/README", "text")
        let keys = try FarmKeys.shared.get()
        let root = try farm.folder.write("root.pem", keys.contents[1].pem)
        func verifies(_ more: [String] = []) throws -> Bool {
            let command = [
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path + ".p7s", "-content",
                path, "-CAfile", root, "-out", "/dev/null",
            ]
            return try Command.run(command + more).status == 0
        }
        #expect(try await farm.sign([server.endpoint], key: "contents").signed == 1)
        #expect(try verifies() && !verifies(["-crl_check"]))
        let list = try keys.revocationList(revoking: [])
        let listed = try await farm.sign(
            [server.endpoint], key: "contents",
            order: { ($0.resigns, $0.revocationLists) = (true, [list]) })
        #expect(listed.signed == 1)
        #expect(try verifies(["-crl_check"]))
        func signatures() throws -> [CMSSignature] {
            let bytes = try farm.folder.read("dist/README.p7s")
            return try CMSSignatures(bytes.span).signatures
        }
        let first = try #require(try signatures().first)
        #expect(try await farm.sign([server.endpoint], key: "contents2").signed == 1)
        let own = try #require(try signatures().first { $0.signer == first.signer })
        #expect(try signatures().count == 2)
        #expect(try verifies(["-crl_check"]))
        for key in ["contents", "contents2"] {
            #expect(try await farm.sign([server.endpoint], key: key).alreadySigned == 1)
        }
        // With the list of a later day, on which the first signer is.
        let later = try keys.revocationList(revoking: [keys.contents[0]])
        try farm.folder.write("dist/README.p7s", own.bringing([later]).encoded)
        #expect(try verifies() && !verifies(["-crl_check"]))
        // Lists of strangers, and with other kinds of keys.
        let stranger = try FarmKeys().revocationList(revoking: [])
        for (key, list) in [("contents", stranger), ("release", list)] {
            let error = await #expect(throws: SigningClientError.self) {
                try await farm.sign([server.endpoint], key: key, order: { $0.revocationLists = [list] })
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    /// A .dsc is signed where it is, and so is any text that is said to be one; a second run finds both signed.
    @Test func signsTexts() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        let text = "Format: 3.0\n- x\n"
        try farm.folder.write("dist/x.dsc", text)
        #expect(try await farm.sign([server.endpoint]).signed == 1)
        try farm.folder.write("dist/CHECKSUM", "one \r\ntwo")
        let later = try await farm.sign(
            [server.endpoint],
            order: {
                $0.kind = .cleartext; $0.paths = [farm.dist + "/CHECKSUM", farm.dist + "/x.dsc"]
            })
        #expect(later.signed == 1 && later.alreadySigned == 1)
        let ring = try farm.folder.write("ring", FarmKeys.shared.get().openPGP.encoded)
        for name in ["x.dsc", "CHECKSUM"] {
            try Command.check(["gpgv", "--keyring", ring, "\(farm.dist)/\(name)"])
            let bytes = try farm.folder.read("dist/" + name)
            let message = try CleartextMessage(bytes.span)
            #expect(message.signatures.count == 1)
        }
    }

    /// Two keys sign the same files, one after the other, and each again; then all is taken away.
    @Test(arguments: [false, true]) func severalKeysSign(_ isBinary: Bool) async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.folder.write("dist/SHA256SUMS", "text\n")
        try farm.folder.write("dist/image", [UInt8](repeating: 9, count: 1_500_000))
        let suffix = isBinary ? ".sig" : ".asc"
        func sign(_ key: String, resigns: Bool = false) async throws -> SigningSummary {
            try await farm.sign(
                [server.endpoint], key: key,
                order: { ($0.isBinary, $0.resigns) = (isBinary, resigns) })
        }
        func packets(_ name: String) throws -> [OpenPGPSignature] {
            let bytes = try farm.folder.read("dist/" + name + suffix)
            return try OpenPGPSignature.all(in: bytes.span)
        }
        #expect(try await sign("release").signed == 2)
        let first = try packets("image")
        #expect(try await sign("strong").signed == 2)
        #expect(try packets("image").first == first.first)
        for key in ["release", "strong"] {
            let again = try await sign(key)
            #expect(again.alreadySigned == 2 && again.signed == 0 && again.passedOver == 2)
        }
        #expect(try await sign("strong", resigns: true).signed == 2)
        let keys = try FarmKeys.shared.get()
        let ring = try farm.folder.write("ring", keys.openPGP.encoded + keys.strong.encoded)
        for name in ["SHA256SUMS", "image"] {
            #expect(try packets(name).count == 2)
            let path = "\(farm.dist)/\(name)"
            try Command.check(["gpgv", "--keyring", ring, path + suffix, path])
            try Command.check(["sqv", "--keyring", ring, "--signatures", "2", path + suffix, path])
        }
        let other = SigningOrder(paths: [farm.dist], key: "")
        #expect(await StrippingRun.run(other) { _ in }.signed == 2)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: farm.dist).sorted() == [
                "SHA256SUMS", "image",
            ]
        )
    }

    /// What has no OpenPGP signature beside it is not signed so.
    @Test func refusesPacketsForOtherKinds() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.addPackages(1)
        let summary = try await farm.sign([server.endpoint], order: { $0.isBinary = true })
        #expect(summary.failures == [.artifactUnsupported: 1])
        let mixed = try farm.folder.write("dist/notes", "text")
        #expect(
            try await farm.sign([server.endpoint], order: { ($0.isBinary, $0.paths) = (true, [mixed]) })
                .signed == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: farm.dist).contains("notes.sig"))
    }

    /// A key that needs a longer digest than others: large files are hashed with that.
    @Test func hashesAsTheKeyNeedsIt() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.folder.write("dist/image", [UInt8](repeating: 9, count: 1_500_000))
        #expect(try await farm.sign([server.endpoint], key: "strong").signed == 1)
        #expect(try await farm.sign([server.endpoint], key: "strong").alreadySigned == 1)
    }

    // MARK: Servers that fail

    /// A server that refuses for the moment: its jobs go to the other one, under the same ids.
    @Test func asksAnotherServer() async throws {
        let farm = try Farm()
        let away = Failure(.unavailable, "draining", retryAfter: .milliseconds(10))
        let servers = try [
            FarmServer("a") { $0.failures = Array(repeating: away, count: 1000) }, FarmServer("b"),
        ]
        defer { for server in servers { server.kill() } }
        try farm.addPackages(20)
        let summary = try await farm.sign(servers.map(\.endpoint))
        #expect(summary.signed == 20 && summary.failed == 0)
        #expect(summary.servers == ["b": 20])
        #expect(summary.retried > 0)
        #expect(Set(servers[0].jobs).isSubset(of: servers[1].jobs))
        #expect(Set(servers[1].jobs).count == 20)
    }

    @Test(arguments: ["deaf", "killed"]) func goesOnWithoutOneServer(_ fault: String) async throws {
        let farm = try Farm()
        let servers = try [
            FarmServer("a") {
                $0.isDeaf = fault == "deaf"; $0.delay = .milliseconds(5)
            }, FarmServer("b"),
        ]
        defer { for server in servers { server.kill() } }
        try farm.addPackages(70)
        let killer = Task {
            await eventually { servers[0].jobs.count >= 10 }
            if fault == "killed" { servers[0].kill() }
        }
        let summary = try await farm.sign(servers.map(\.endpoint)) {
            $0.timeout = .milliseconds(500)
        } order: { _ in
        }
        await killer.value
        #expect(summary.signed == 70 && summary.failed == 0)
        #expect(summary.retried > 0)
        #expect(try farm.packagesAreGood())
    }

    /// Nobody is there for a while; the client goes on trying.
    @Test func waitsForAServer() async throws {
        let farm = try Farm()
        let first = try FarmServer("a")
        let port = first.listener.address.port
        try farm.addPackages(5)
        first.manner.withLock { $0.isDeaf = true }
        let later = Task {
            await eventually { first.jobs.count == 5 }
            first.kill()
            return try FarmServer("b", port: port)
        }
        let summary = try await farm.sign([first.endpoint])
        #expect(summary.servers == ["b": 5])
        #expect(summary.retried == 5)
        try await later.value.kill()
    }

    @Test func givesUpWhenTheTimeIsOver() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.isDeaf = true }
        defer { server.kill() }
        try farm.addPackages(3)
        let summary = try await farm.sign([server.endpoint]) { settings in
            settings.timeout = .milliseconds(100)
            settings.retryFor = .milliseconds(600)
        } order: { _ in
        }
        #expect(summary.failures == [.deadlineExceeded: 3])
        #expect(
            try await farm.sign([server.endpoint]) {
                $0.retryFor = .seconds(1)
            } order: {
                $0.isDry = true
            }.signed == 3)
    }

    /// Nobody at all: the run fails when its time is over, and says meanwhile what it waits for.
    @Test func tellsThatNobodyIsThere() async throws {
        let farm = try Farm()
        let error = await #expect(throws: Failure.self) {
            try await farm.sign([.host("127.0.0.1", port: 1)], settings: { $0.retryFor = .milliseconds(300) })
        }
        #expect(error?.code == .unavailable)
        #expect(farm.waits.withLock { $0 } == [.unavailable])
    }

    @Test func canBeStoppedBeforeAServerAnswers() async throws {
        let farm = try Farm()
        let run = Task { try await farm.sign([.host("127.0.0.1", port: 1)]) }
        await eventually { !farm.waits.withLock { $0 }.isEmpty }
        run.cancel()
        let error = await #expect(throws: Failure.self) { try await run.value }
        #expect(error?.code == .cancelled)
    }

    @Test func leavesFilesAloneThatChangeMeanwhile() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.delay = .milliseconds(300) }
        defer { server.kill() }
        let path = try farm.folder.write("dist/file", "text")
        let writer = Task {
            await eventually { server.jobs.count == 1 }
            try farm.folder.write("dist/file", "other")
        }
        let summary = try await farm.sign([server.endpoint])
        try await writer.value
        #expect(summary.failures == [.artifactChanged: 1])
        #expect(!FileManager.default.fileExists(atPath: path + ".asc"))
    }

    @Test func leavesFilesAloneWhenAServerIsFalse() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.isFalse = true }
        defer { server.kill() }
        let path = try farm.folder.write("dist/file", "text")
        let summary = try await farm.sign([server.endpoint])
        #expect(summary.failures == [.badSignature: 1])
        #expect(!FileManager.default.fileExists(atPath: path + ".asc"))
    }

    @Test func aFinalAnswerIsFinal() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.failures = [Failure(.permissionDenied, "no grant")] }
        defer { server.kill() }
        try farm.addPackages(1)
        let summary = try await farm.sign([server.endpoint])
        #expect(summary.failures == [.permissionDenied: 1])
        #expect(server.jobs.count == 1)
        let error = await #expect(throws: Failure.self) {
            try await farm.sign([server.endpoint], key: "none")
        }
        #expect(error?.code == .notFound)
        let bare = await #expect(throws: SigningClientError.self) {
            try await farm.sign([server.endpoint], key: "bare")
        }
        #expect(bare?.code == .wrongState)
        let kind = await #expect(throws: SigningClientError.self) {
            try await farm.sign([server.endpoint], order: { $0.kind = .module })
        }
        #expect(kind?.code == .permissionDenied)
    }

    // MARK: Bounds and interruption

    @Test func keepsToItsBounds() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.delay = .milliseconds(1) }
        defer { server.kill() }
        try farm.addPackages(60)
        let summary = try await farm.sign([server.endpoint]) {
            $0.jobs = 7
        } order: { _ in
        }
        #expect(summary.signed == 60)
        #expect(server.manner.withLock { $0.mostUnderWay } <= 7)
    }

    /// Modules are claimed whole, so that only some of them are under way at once; one that is larger goes alone.
    @Test func keepsToItsMemory() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.delay = .milliseconds(5) }
        defer { server.kill() }
        for number in 0..<12 {
            try farm.folder.write("dist/\(number).ko", SampleModule.bytes(payload: 100_000))
        }
        let summary = try await farm.sign([server.endpoint], key: "driver", settings: { $0.memory = 250_000 })
        #expect(summary.signed == 12)
        #expect(server.manner.withLock { $0.mostUnderWay } <= 2)
        let small = try await farm.sign(
            [server.endpoint], key: "driver", settings: { $0.memory = 10 }, order: { $0.resigns = true })
        #expect(small.signed == 12)
    }

    @Test func stopsWithEveryFileWhole() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.delay = .milliseconds(20) }
        defer { server.kill() }
        try farm.addPackages(60)
        let run = Task {
            try await farm.sign([server.endpoint]) {
                $0.jobs = 8
            } order: { _ in
            }
        }
        await eventually { farm.outcomes.withLock { $0.count } >= 5 }
        run.cancel()
        let summary = try await run.value
        #expect(summary.signed >= 5 && summary.signed < 60)
        #expect(summary.failed == 0)
        // What was not signed is as it was, and the next run does the rest.
        let rest = try await farm.sign([server.endpoint]) { _ in
        } order: { _ in
        }
        #expect(rest.signed + rest.alreadySigned == 60)
        #expect(try farm.packagesAreGood())
    }

    @Test func tellsOfFilesThatFail() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.addPackages(1)
        try farm.folder.write("dist/broken.rpm", "no package")
        let missing = farm.dist + "/missing"
        let module = try farm.folder.write("driver.ko", SampleModule.bytes())
        let summary = try await farm.sign([server.endpoint], order: { $0.paths += [missing, module] })
        #expect(summary.signed == 1)
        #expect(summary.failures == [.artifactMalformed: 1, .notFound: 1, .permissionDenied: 1])
    }

    @Test func putsDetachedSignaturesElsewhere() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.folder.write("dist/file", "text")
        let summary = try await farm.sign([server.endpoint], order: { $0.folder = farm.folder.path })
        #expect(summary.signed == 1)
        #expect(try farm.folder.read("file.asc").starts(with: Array("-----BEGIN PGP SIGNATURE".utf8)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: farm.dist) == ["file"])
    }

    /// Two files of one name in different folders: nothing is signed, whichever way the files are named.
    @Test func refusesTwoSourcesWithOneTarget() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(
                atPath: "\(farm.dist)/\(name)", withIntermediateDirectories: true)
            try farm.folder.write("dist/\(name)/SHA256SUMS", "sums of \(name)\n")
        }
        try farm.folder.write("dist/a/file", "text")
        let out = try TemporaryFolder()
        for paths in [[farm.dist], ["\(farm.dist)/b/SHA256SUMS", "\(farm.dist)/a"]] {
            let error = await #expect(throws: SigningClientError.self) {
                try await farm.sign(
                    [server.endpoint],
                    order: {
                        $0.paths = paths; $0.folder = out.path
                    })
            }
            #expect(error?.code == .artifactTargets)
            #expect(error?.message.contains("\(out.path)/SHA256SUMS.asc") == true)
        }
        #expect(server.jobs.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: out.path).isEmpty)
        // Beside their files they do not meet, and files with their signature inside never do.
        #expect(try await farm.sign([server.endpoint]).signed == 3)
        try farm.addPackages(1)
        let package = "p0-1.0-1.noarch.rpm"
        try Command.check(["cp", "\(farm.dist)/\(package)", "\(farm.dist)/a/"])
        let packages = try await farm.sign([server.endpoint]) { _ in
        } order: { order in
            order.paths = ["\(farm.dist)/\(package)", "\(farm.dist)/a/\(package)"]
            order.folder = out.path
        }
        #expect(packages.signed == 2)
    }

    /// In the folder for signatures lies one by another key: it stays, also when the own one is made anew.
    @Test func looksAtWhatLiesInTheOtherFolder() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.folder.write("dist/file", "text")
        let out = try TemporaryFolder()
        let first = try await farm.sign([server.endpoint], key: "strong", order: { $0.folder = out.path })
        #expect(first.signed == 1)
        func packets() throws -> [OpenPGPSignature] {
            let bytes = try out.read("file.asc")
            return try OpenPGPSignature.all(in: bytes.span)
        }
        let before = try packets()
        let second = try await farm.sign([server.endpoint], order: { $0.folder = out.path })
        #expect(second.signed == 1)
        #expect(try packets().count == 2 && packets().first == before.first)
        let again = try await farm.sign([server.endpoint], key: "strong", order: { $0.folder = out.path })
        #expect(again.alreadySigned == 1)
        let anew = try await farm.sign([server.endpoint]) { _ in
        } order: {
            $0.folder = out.path; $0.resigns = true
        }
        #expect(anew.signed == 1)
        #expect(try packets().count == 2 && packets().first == before.first)
    }

    /// Who puts a file in the signature's place while the servers work keeps it.
    @Test func leavesWhatAppearsInTheOtherFolder() async throws {
        let farm = try Farm()
        let server = try FarmServer("a") { $0.delay = .milliseconds(300) }
        defer { server.kill() }
        try farm.folder.write("dist/file", "text")
        let out = try TemporaryFolder()
        let writer = Task {
            await eventually { server.jobs.count == 1 }
            try out.write("file.asc", "notes")
        }
        let summary = try await farm.sign([server.endpoint], order: { $0.folder = out.path })
        try await writer.value
        #expect(summary.failures == [.artifactSigned: 1])
        #expect(try out.read("file.asc") == Array("notes".utf8))
    }

    // MARK: Packages

    /// Packages from before rpm 4.14 among others: each gets the signature that covers all of it.
    @Test(.needs(.program("rpmkeys"))) func signsOldPackages() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.addPackages(3)
        var old = SampleRPM()
        old.name = "old"
        old.hasPayloadDigest = false
        try old.write(to: "\(farm.dist)/\(old.fileName)")
        #expect(try await farm.sign([server.endpoint]).signed == 4)
        #expect(try farm.packagesAreGood())
        let kinds = farm.outcomes.withLock { $0 }.map { $0.kind?.rawValue ?? "" }.sorted()
        #expect(kinds == ["rpm", "rpm", "rpm", "rpm-v3"])
        #expect(try await farm.sign([server.endpoint]).alreadySigned == 4)
        // Asked for, the others get one as well.
        let more = try await farm.sign([server.endpoint], order: { $0.signsPayload = true })
        #expect(more.signed == 3 && more.alreadySigned == 1)
        #expect(try farm.packagesAreGood())
        let again = try await farm.sign([server.endpoint], order: { $0.signsPayload = true })
        #expect(again.alreadySigned == 4)
    }

    @Test func leavesAloneWhatAnybodySigned() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.folder.write("dist/theirs", "text")
        #expect(try await farm.sign([server.endpoint], key: "strong").signed == 1)
        try farm.folder.write("dist/new", "text")
        let summary = try await farm.sign([server.endpoint], order: { $0.leavesSigned = true })
        #expect(summary.signed == 1 && summary.alreadySigned == 1 && summary.failed == 0)
        let results = farm.outcomes.withLock { $0 }.map(\.result)
        #expect(results.contains(.hasSignature))
    }

    /// The new headers alone, as files of their own; put into the packages they make them signed.
    @Test(.needs(.program("rpmkeys"))) func writesSignatureHeadersAlone() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.addPackages(3)
        let out = try TemporaryFolder()
        let name = "p0-1.0-1.noarch.rpm"
        let before = try farm.folder.read("dist/\(name)")
        for _ in 0..<2 {
            let summary = try await farm.sign([server.endpoint], order: { $0.headerFolder = out.path })
            #expect(summary.signed == 3)
        }
        #expect(try farm.folder.read("dist/\(name)") == before)
        let outputs = Set(farm.outcomes.withLock { $0 }.compactMap(\.output))
        #expect(outputs.contains("\(out.path)/\(name).sighdr") && outputs.count == 3)
        for number in 0..<3 {
            let name = "p\(number)-1.0-1.noarch.rpm"
            let header = try out.read(name + ".sighdr")
            var package = try farm.folder.read("dist/\(name)")
            package.replaceSubrange(96..<96 + header.count, with: header)
            try farm.folder.write("dist/\(name)", package)
        }
        #expect(try farm.packagesAreGood())
        try out.write("\(name).sighdr", "notes")
        let summary = try await farm.sign([server.endpoint]) { _ in
        } order: {
            $0.headerFolder = out.path; $0.resigns = true
        }
        #expect(summary.failures == [.artifactSigned: 1])
        // Another package of the same name, but not the same one twice.
        let twice = try await farm.sign([server.endpoint]) { _ in
        } order: {
            $0.paths = [farm.dist + "/../dist/" + name, farm.dist + "/" + name]; $0.headerFolder = out.path
            $0.isDry = true; $0.resigns = true
        }
        #expect(twice.signed == 2)
        try FileManager.default.createDirectory(
            atPath: farm.dist + "/more", withIntermediateDirectories: false)
        try Command.check(["cp", "\(farm.dist)/\(name)", farm.dist + "/more"])
        let error = await #expect(throws: SigningClientError.self) {
            try await farm.sign([server.endpoint], order: { $0.headerFolder = out.path })
        }
        #expect(error?.code == .artifactTargets)
    }

    @Test func takesSignaturesAway() async throws {
        let farm = try Farm()
        let server = try FarmServer("a")
        defer { server.kill() }
        try farm.addPackages(3)
        try farm.folder.write("dist/file", "text")
        let before = try farm.folder.read("dist/p1-1.0-1.noarch.rpm")
        #expect(try await farm.sign([server.endpoint]).signed == 4)
        let order = SigningOrder(paths: [farm.dist], key: "")
        var dry = order
        dry.isDry = true
        #expect(await StrippingRun.run(dry) { _ in }.signed == 4)
        let summary = await StrippingRun.run(order) { _ in }
        #expect(summary.signed == 4 && summary.failed == 0)
        #expect(try farm.folder.read("dist/p1-1.0-1.noarch.rpm") == before)
        #expect(!FileManager.default.fileExists(atPath: farm.dist + "/file.asc"))
        #expect(await StrippingRun.run(order) { _ in }.passedOver == 4)
        let named = SigningOrder(paths: [farm.dist + "/file", farm.dist + "/none"], key: "")
        let other = await StrippingRun.run(named) { _ in }
        #expect(other.passedOver == 1 && other.failures == [.notFound: 1])
    }
}
