// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Keyring
import SampleFiles
import Signatures
import SigningProtocol
import TestPeers
import TestSupport
import Testing
import Transport

@testable import DataService

/// A whole server, called by a foreign client.
@Suite struct ServiceTests {
    static let content = Array("the content of a file\n".utf8)

    @Test func signsEveryServedKind() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        let generic = client.sign("release", "generic", Self.content)
        try #require(generic.count == 5 && generic[1] == "ok", "\(generic)")
        #expect(Array(generic[3...]) == ["stored=0", "1"])
        try Self.gpgvAccepts(Hex.decode(generic[2]), over: Self.content, stand.release)

        let header = Self.header
        let rpm = client.sign("release", "rpm", header)
        try #require(rpm.count == 5 && rpm[1] == "ok", "\(rpm)")
        try Self.gpgvAccepts(Hex.decode(rpm[2]), over: header, stand.release)

        let module = Self.module
        let signed = client.sign("modules", "module", module)
        try #require(signed.count == 5 && signed[1] == "ok", "\(signed)")
        try Self.opensslAccepts(Hex.decode(signed[2]), over: module, stand.module)

        let text = Array("- one\r\ntwo \t\n\nthree".utf8)
        let clear = client.sign("release", "cleartext", text)
        try #require(clear.count == 5 && clear[1] == "ok", "\(clear)")
        let packet = try Hex.decode(clear[2])
        let message = try CleartextMessage(text, signatures: OpenPGPSignature.all(in: packet.span))
        try Self.gpgvAccepts(message.encoded, stand.release)

        let records = stand.farm.records
        #expect(records.map(\.draft.ruling.kind) == [.generic, .rpm, .module, .cleartext])
        let canonical = Array("- one\r\ntwo\r\n\r\nthree".utf8)
        #expect(records[3].draft.content == Digest(hashing: canonical.span, with: .sha256))
        #expect(records[3].draft.claim == Digest(hashing: text.span, with: .sha256))
        #expect(records[1].draft.facts.map(\.name).contains("rpm-name"))
        #expect(records[0].draft.content == Digest(hashing: Self.content.span, with: .sha256))
        #expect(records.allSatisfy { $0.draft.ruling.client.identity.value == "spiffe://test/client" })
        await stand.stop()
    }

    @Test func partsAndMidstatesAreTheSameAsContent() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        let large = [UInt8](repeating: 7, count: 3000)
        let parts = stride(from: 0, to: 3000, by: 1000).map { Hex.encode(Array(large[$0..<$0 + 1000])) }
        let answer = client.ask("part release generic \(parts.joined(separator: " "))")
        try #require(answer.count == 5 && answer[1] == "ok", "\(answer)")
        try Self.gpgvAccepts(Hex.decode(answer[2]), over: large, stand.release)
        var running = RunningDigest(.sha512)
        running.update(large.span)
        let state = try running.midstate()
        let blind = client.ask("midstate release generic \(Hex.encode(state.encoded))")
        try #require(blind.count == 5 && blind[1] == "ok", "\(blind)")
        try Self.gpgvAccepts(Hex.decode(blind[2]), over: large, stand.release)
        #expect(stand.farm.records.map(\.draft.isBlind) == [false, true])
        #expect(stand.farm.records[1].draft.content == Digest(hashing: large.span, with: .sha512))
        await stand.stop()
    }

    /// Header and payload of a package, of which nothing is seen: only who was granted just that gets it, by a midstate
    /// alone, and the record says so.
    @Test func signsOldPackagesBlindForWhoMay() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        let content = [UInt8](repeating: 3, count: 3000)
        var running = RunningDigest(.sha256)
        running.update(content.span)
        let state = Hex.encode(try running.midstate().encoded)
        #expect(client.ask("midstate release rpm-v3 \(state)")[1] == "kind-not-granted")
        #expect(client.ask("midstate release rpm \(state)")[1] == "bad-claim")
        try stand.farm.grant(
            [stand.release], kinds: [.rpmLegacy], to: "spiffe://test/client", of: stand.authority)
        #expect(client.sign("release", "rpm-v3", content)[1] == "bad-claim")
        let answer = client.ask("midstate release rpm-v3 \(state)")
        try #require(answer.count == 5 && answer[1] == "ok", "\(answer)")
        try Self.gpgvAccepts(Hex.decode(answer[2]), over: content, stand.release)
        #expect(stand.farm.records.map(\.draft.ruling.kind) == [.rpmLegacy])
        #expect(stand.farm.records.map(\.draft.isBlind) == [true])
        #expect(stand.farm.records[0].draft.facts.isEmpty)
        await stand.stop()
    }

    /// Key, kind, content, and the code of the refusal.
    static let refusals: [(String, String, String, [UInt8], String)] = [
        ("no such key", "nothing", "generic", content, "not-granted"),
        ("not granted for the kind", "modules", "generic", content, "kind-not-granted"),
        ("unknown kind", "release", "poetry", content, "unsupported"),
        ("an RPM called generic", "release", "generic", header, "claim-refused"),
        ("an RPM called text", "release", "cleartext", header, "claim-refused"),
        ("no text", "release", "cleartext", Array("a\rb\n".utf8), "claim-refused"),
        (
            "a signed text", "release", "cleartext", Array("-----BEGIN PGP SIGNED MESSAGE-----\n".utf8),
            "claim-refused"
        ),
        ("no RPM", "release", "rpm", content, "artifact-malformed"),
        ("an RPM without a digest of its payload", "release", "rpm", oldHeader, "artifact-unsupported"),
        ("no module", "modules", "module", content, "artifact-malformed"),
        ("a signed module", "modules", "module", module + trailer, "artifact-malformed"),
        ("a program", "modules", "module", program, "artifact-malformed"),
    ]

    @Test func refusesWithAReason() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        for (name, key, kind, content, code) in Self.refusals {
            let answer = client.sign(key, kind, content)
            #expect(answer.count > 2 && answer[1] == code, "\(name): \(answer)")
        }
        #expect(stand.farm.records.isEmpty)
        await stand.stop()
    }

    @Test func aJobIsDoneOnce() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        let job = String(repeating: "0b", count: 16)
        let first = client.sign("release", "generic", Self.content, job: job)
        let second = client.sign("release", "generic", Self.content, job: job)
        try #require(first.count == 5 && second.count == 5, "\(first) \(second)")
        #expect(second[2] == first[2])
        #expect(second[3] == "stored=1")
        #expect(client.sign("release", "generic", [1], job: job)[1] == "job-conflict")
        // The id of one client is not another's.
        let other = try stand.client("other")
        let theirs = other.sign("release", "generic", [1], job: job)
        #expect(theirs[1] == "ok" && theirs[3] == "stored=0")
        // A repeated job is judged anew.
        try stand.farm.change(stand.release.id) { $0.state = .disabled }
        #expect(client.sign("release", "generic", Self.content, job: job)[1] == "key-disabled")
        #expect(stand.farm.records.count == 2)
        await stand.stop()
    }

    @Test func twoClientsSeeWhatTheirGrantsSay() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        #expect(client.ask("list") == ["keys", "modules", "release"])
        #expect(client.ask("list 1") == ["keys", "modules", "release"])
        #expect(
            Array(client.ask("describe release").prefix(8)) == [
                "release", "1", "openpgp", "ed25519", "enabled", "cleartext", "generic", "rpm",
            ])
        let other = try stand.client("other")
        #expect(other.ask("list") == ["keys", "release"])
        #expect(Array(other.ask("describe release").dropFirst(5).dropLast()) == ["generic"])
        #expect(other.ask("describe modules").prefix(2) == ["failed", "PERMISSION_DENIED"])
        #expect(other.ask("describe nothing").prefix(2) == ["failed", "PERMISSION_DENIED"])
        #expect(other.sign("release", "generic", Self.content)[1] == "ok")
        #expect(other.sign("release", "rpm", Self.header)[1] == "kind-not-granted")
        #expect(other.sign("modules", "module", Self.module)[1] == "not-granted")
        await stand.stop()
    }

    @Test func changesActOnOpenStreams() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        try stand.farm.change(stand.release.id) { $0.state = .disabled }
        // From that moment nothing is signed, whatever the server knew.
        #expect(client.sign("release", "generic", Self.content)[1] == "key-disabled")
        #expect(stand.farm.records.count == 1)
        // And nobody is refused for what was true a moment ago.
        try stand.farm.change(stand.release.id) { $0.state = .enabled }
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        let identity = try ClientIdentity(
            authority: stand.authority, sort: .uri, value: "spiffe://test/client")
        stand.farm.deny(.identity(identity))
        #expect(client.sign("release", "generic", Self.content)[1] == "client-denied")
        #expect(stand.farm.records.count == 2)
        await stand.stop()
    }

    /// A grant for some networks alone is for who calls from there.
    @Test(arguments: [
        ("127.0.0.0/8", "ok"), ("10.0.0.0/8", "network-not-granted"), ("::1", "network-not-granted"),
    ])
    func networksAreLookedAt(_ network: String, _ answer: String) async throws {
        let stand = try await Stand.make()
        try stand.tls.ca.issue("near", san: "URI:spiffe://test/near")
        try stand.farm.grant(
            [stand.release], kinds: [.generic], to: "spiffe://test/near", of: stand.authority,
            networks: [Network(network)])
        let client = try stand.client("near")
        #expect(client.sign("release", "generic", Self.content)[1] == answer)
        #expect(client.ask("list").count == (answer == "ok" ? 2 : 1))
        await stand.stop()
    }

    /// From the moment on nothing is signed, on an open stream too; and whoever has no grant learns nothing of it.
    @Test func whatIsFrozenSignsNothing() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        let other = try stand.client("other")
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        stand.farm.freeze(FrozenKeys(keys: [stand.release.id]))
        #expect(client.sign("release", "generic", Self.content)[1] == "signing-frozen")
        #expect(client.sign("modules", "module", Self.module)[1] == "ok")
        #expect(other.sign("modules", "module", Self.module)[1] == "not-granted")
        try await eventually { try stand.page("/metrics").text.contains("signet_frozen_keys 1") }
        stand.farm.freeze(FrozenKeys(all: true))
        #expect(client.sign("modules", "module", Self.module)[1] == "signing-frozen")
        try await eventually { try stand.page("/metrics").text.contains("signet_frozen 1") }
        stand.farm.freeze(FrozenKeys())
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        #expect(stand.farm.records.count == 3)
        await stand.stop()
    }

    @Test(arguments: ["expired", "stranger", "none"]) func othersGetNothing(_ who: String) async throws {
        let stand = try await Stand.make()
        let client: PythonClient
        switch who {
        case "stranger":
            let own = try await apart {
                let ca = try TestCA("stranger", in: stand.tls.folder)
                return try ca.issue("client", san: "URI:spiffe://test/client")
            }
            client = try PythonClient(
                Companion(
                    python: "signing_client.py",
                    [
                        stand.stubs.path, "127.0.0.1:\(stand.server.address.port)", stand.tls.ca.certificate,
                        own.certificate, own.key,
                    ]))
        case "none":
            client = try PythonClient(
                Companion(
                    python: "signing_client.py",
                    [stand.stubs.path, "127.0.0.1:\(stand.server.address.port)"]))
        default: client = try stand.client(who)
        }
        #expect(client.ask("list").prefix(2) == ["failed", "UNAVAILABLE"])
        #expect(client.sign("release", "generic", Self.content).prefix(2) == ["end", "UNAVAILABLE"])
        #expect(stand.farm.records.isEmpty)
        await stand.stop()
    }

    @Test func aCertificateWithoutANameMaySignNothing() async throws {
        let stand = try await Stand.make()
        let client = try stand.client("nameless")
        #expect(client.ask("list").prefix(2) == ["failed", "UNAUTHENTICATED"])
        #expect(client.sign("release", "generic", Self.content).first == "end")
        await stand.stop()
    }

    @Test func whenTheDatabaseIsAway() async throws {
        let stand = try await Stand.make(limits: "job_time = \"2s\"")
        let client = try stand.client()
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        stand.farm.set { $0.isAway = true }
        let refused = client.sign("release", "generic", Self.content)
        #expect(["keys-away", "record-away"].contains(refused[1]) && refused[2] != "-", "\(refused)")
        await eventually { (try? stand.page("/readyz").status) == "503" }
        await eventually { client.ask("health") == ["health", "NOT_SERVING"] }
        #expect(try stand.page("/livez").text.hasPrefix("alive"))
        stand.farm.set { $0.isAway = false }
        await eventually { (try? stand.page("/readyz").status) == "200" }
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        await eventually { client.ask("health signet.v1.Signing") == ["health", "SERVING"] }
        #expect(stand.farm.records.count >= 2)
        let metrics = try stand.page("/metrics").text
        #expect(metrics.contains("signet_sign_jobs_total{kind=\"generic\",outcome=\"signed\"} 2"))
        await stand.stop()
    }

    @Test func tooManyJobsAreRefusedWithAHint() async throws {
        let stand = try await Stand.make(limits: "jobs_of_client = 3")
        let client = try stand.client()
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        stand.farm.set { $0.hangs = true }
        for _ in 0..<5 { client.companion.write("sign release generic 01") }
        let refused = [client.answer(), client.answer()]
        #expect(refused.allSatisfy { $0[1] == "too-many-jobs" && $0[2] == "500" }, "\(refused)")
        stand.farm.set { $0.hangs = false }
        for _ in 0..<3 { #expect(client.answer()[1] == "ok") }
        await stand.stop()
    }

    /// Whoever holds all that he can leaves room for others; and whoever sends no more does not hold it for long.
    @Test func uploadsShareTheirMemory() async throws {
        let stand = try await Stand.make(
            limits: "held_content = \"2MiB\"\nlargest_header = \"1MiB\"\nupload_pause = \"3s\"")
        let client = try stand.client()
        let other = try stand.client("other")
        // One client takes all that he gets, and then is refused.
        client.companion.write("stall release rpm 1048576")
        client.companion.write("stall release rpm 1048576")
        #expect(client.answer()[1] == "too-many-jobs")
        // Another has his content signed meanwhile.
        #expect(other.sign("release", "generic", Self.content)[1] == "ok")
        // The one that stands still is let go of.
        let dropped = client.answer()
        #expect(dropped.count > 2 && dropped[1] == "deadline-exceeded" && dropped[2] == "500", "\(dropped)")
        await eventually {
            (try? stand.page("/metrics").text.contains("\nsignet_held_content_bytes 0")) == true
        }
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        await stand.stop()
    }

    @Test func aWrongClockDoesNotStart() async throws {
        await #expect(throws: DataServiceError.self) { _ = try await Stand.make(clockAhead: .seconds(60)) }
    }

    @Test func drainsInGoodOrder() async throws {
        let stand = try await Stand.make()
        let client = try stand.client()
        #expect(client.sign("release", "generic", Self.content)[1] == "ok")
        stand.farm.set { $0.hangs = true }
        for _ in 0..<4 { client.companion.write("sign release generic 01") }
        await eventually { (try? stand.page("/metrics").text.contains("signet_records_waiting 4")) == true }
        async let ended: Void = stand.server.drain(within: .seconds(60))
        await eventually { (try? stand.page("/readyz").text.hasPrefix("server-draining")) == true }
        stand.farm.set { $0.hangs = false }
        for _ in 0..<4 { #expect(client.answer()[1] == "ok") }
        #expect(client.answer().prefix(2) == ["end", "UNAVAILABLE"])
        await ended
        #expect(stand.farm.records.count == 5)
    }

    // MARK: Content and judges

    static var header: [UInt8] { SampleRPM().mainHeader }
    static var oldHeader: [UInt8] {
        var sample = SampleRPM()
        sample.hasPayloadDigest = false
        return sample.mainHeader
    }

    /// The start of a relocatable ELF file, and of a program.
    static let module: [UInt8] = elf(type: 1)
    static let program: [UInt8] = elf(type: 2)
    static let trailer = Array("~Module signature appended~\n".utf8)

    private static func elf(type: UInt8) -> [UInt8] {
        [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [type, 0, 62, 0]
            + [UInt8](repeating: 3, count: 200)
    }

    static func gpgvAccepts(_ message: [UInt8], _ key: KeyRecord) throws {
        let folder = try TemporaryFolder()
        let ring = try folder.write("ring", key.certificate)
        let output = try Command.run(["gpgv", "--keyring", ring, try folder.write("message", message)])
        #expect(output.status == 0 && output.errorText.contains("Good signature"), "\(output.errorText)")
    }

    static func gpgvAccepts(_ signature: [UInt8], over content: [UInt8], _ key: KeyRecord) throws {
        let folder = try TemporaryFolder()
        let ring = try folder.write("ring", key.certificate)
        let output = try Command.run([
            "gpgv", "--keyring", ring, try folder.write("signature", signature),
            try folder.write("content", content),
        ])
        #expect(output.status == 0 && output.errorText.contains("Good signature"), "\(output.errorText)")
    }

    static func opensslAccepts(_ signature: [UInt8], over content: [UInt8], _ key: KeyRecord) throws {
        let folder = try TemporaryFolder()
        let output = try Command.run([
            "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-in",
            try folder.write("signature", signature), "-content", try folder.write("content", content),
            "-certfile", try Self.pem(key.certificate, in: folder), "-out", "/dev/null",
        ])
        #expect(output.status == 0, "\(output.errorText)")
    }

    private static func pem(_ der: [UInt8], in folder: TemporaryFolder) throws -> String {
        let path = try folder.write("der", der)
        let output = try Command.check(["openssl", "x509", "-inform", "DER", "-in", path])
        return try folder.write("pem", output.stdout)
    }
}
