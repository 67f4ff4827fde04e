// SPDX-License-Identifier: Apache-2.0

import Bytes
import ControlService
import Cryptography
import Diagnostics
import Glibc
import Keyring
import Signatures
import TestSupport
import Testing

/// The transport's authority, judged by `openssl`.
@Suite struct AuthorityTests {
    private let folder: TemporaryFolder
    private let authority: AuthorityFolder
    /// Certificates are judged at the present time.
    private let now = Moment.now()

    init() throws {
        folder = try TemporaryFolder()
        authority = AuthorityFolder(folder.path + "/pki")
        try authority.create(name: "Signet transport", at: now, life: .seconds(3650 * 86_400))
    }

    private func file(_ name: String) -> String { folder.path + "/" + name }

    @discardableResult
    private func issue(
        _ role: TransportRole, _ name: String, hosts: [String] = [], life: Duration = .seconds(30 * 86_400),
        replacing: Bool = false
    ) throws -> Certificate {
        try authority.issue(
            TransportName(role, name, hosts: hosts), at: now, life: life, files: file(name),
            replacing: replacing)
    }

    private func verify(_ name: String, _ options: [String]) throws -> Command.Output {
        try Command.run(
            ["openssl", "verify", "-x509_strict", "-CAfile", authority.certificateFile] + options + [
                file(name + ".crt")
            ])
    }

    @Test(
        arguments: [
            (TransportRole.client, [], ["sslclient"], ["sslserver", "smimesign", "timestampsign"]),
            (.data, ["data1.example.org", "127.0.0.1", "::1"], ["sslserver"], ["sslclient", "smimesign"]),
            (.control, ["localhost"], ["sslserver"], ["sslclient", "timestampsign"]),
        ] as [(TransportRole, [String], [String], [String])])
    func opensslAgreesOnThePurpose(
        _ role: TransportRole, _ hosts: [String], _ good: [String], _ bad: [String]
    ) throws {
        try issue(role, "it", hosts: hosts)
        for purpose in good {
            let output = try verify("it", ["-purpose", purpose])
            #expect(output.status == 0, "\(purpose): \(output.errorText)")
        }
        for purpose in bad { #expect(try verify("it", ["-purpose", purpose]).status != 0, "\(purpose)") }
        let text = try Command.check(["openssl", "x509", "-in", file("it.crt"), "-noout", "-text"]).text
        #expect(text.contains("URI:signet://\(role.rawValue)/it"))
        #expect(text.contains("CA:FALSE"))
        for host in hosts where host != "::1" {
            #expect(text.contains("DNS:\(host)") || text.contains("IP Address:\(host)"))
        }
        let verifiesHost = try hosts.allSatisfy { host in
            try verify(
                "it", [host.contains(":") || host.hasPrefix("127") ? "-verify_ip" : "-verify_hostname", host]
            )
            .status == 0
        }
        #expect(verifiesHost)
    }

    @Test func theKeyBelongsToTheCertificate() throws {
        try issue(.client, "ci")
        let fromKey = try Command.check(["openssl", "pkey", "-in", file("ci.key"), "-pubout"]).text
        let fromCertificate = try Command.check([
            "openssl", "x509", "-in", file("ci.crt"), "-noout", "-pubkey",
        ]).text
        #expect(fromKey == fromCertificate)
    }

    @Test func secretsAreForTheirOwnerAlone() throws {
        try issue(.client, "ci")
        for path in ["pki/ca.key", "ci.key"] {
            var status = stat()
            #expect(unsafe stat(file(path), &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o600, "\(path)")
        }
    }

    @Test func aRevokedOneIsRefused() throws {
        let bad = try issue(.client, "bad")
        try issue(.client, "good")
        let before = try #require(try authority.revocationList()?.number)
        let issued = try authority.issued()
        #expect(
            issued.map(\.uri) == ["signet://client/bad", "signet://client/good"]
                || issued.map(\.uri) == ["signet://client/good", "signet://client/bad"])
        let one = try #require(issued.first { $0.certificate == bad })
        try authority.revoke([one], because: .keyCompromise, at: now)
        let check = ["-crl_check", "-CRLfile", authority.revocationFile]
        let refused = try verify("bad", check)
        #expect(refused.status != 0)
        #expect(refused.errorText.contains("revoked"))
        #expect(try verify("good", check).status == 0)
        let list = try Command.check(["openssl", "crl", "-in", authority.revocationFile, "-noout", "-text"])
            .text
        #expect(list.contains("Key Compromise"))
        #expect(list.contains(one.serial))
        let after = try #require(try authority.revocationList()?.number)
        #expect(before.lexicographicallyPrecedes(after))
        #expect(try authority.issued().filter { !$0.isGood(at: now) }.map(\.certificate) == [bad])
        // Once more is no second entry, and a list of its own number.
        try authority.revoke([one], because: .superseded, at: now)
        #expect(try authority.revocationList()?.entries.count == 1)
        try authority.renewRevocationList(at: now)
        #expect(try verify("bad", check).status != 0)
    }

    @Test func nothingIsOverwritten() throws {
        let error = #expect(throws: ControlError.self) {
            try authority.create(name: "Another", at: now, life: .seconds(86_400))
        }
        #expect(error?.code == .authorityExists)
        try issue(.client, "ci")
        let first = try folder.read("ci.key")
        #expect(throws: ControlError.self) { try issue(.client, "ci") }
        #expect(try folder.read("ci.key") == first)
        try issue(.client, "ci", replacing: true)
        #expect(try folder.read("ci.key") != first)
        #expect(try verify("ci", []).status == 0)
        let names = try authority.issued().map(\.uri)
        #expect(names == ["signet://client/ci", "signet://client/ci"])
    }

    @Test func doesNotOutliveItsAuthority() {
        #expect(throws: (any Error).self) { try issue(.client, "ci", life: .seconds(3651 * 86_400)) }
    }

    @Test(arguments: [
        "", "-ci", "CI", "c i", "ci/cd", "ci*", "c\u{e9}", String(repeating: "a", count: 65),
        "signet://client/x",
    ])
    func refusesNames(_ name: String) {
        #expect(throws: ControlError.self) { try TransportName(.client, name) }
    }

    @Test(arguments: [
        "", "UPPER", "a..b", "-a", "a-", "*.example.org", "a b", "256.1.1.1", "a.1", "http://a",
    ])
    func refusesHosts(_ host: String) {
        #expect(throws: ControlError.self) { try TransportName(.data, "d", hosts: [host]) }
    }

    @Test func aServerHasAPlaceAndAClientNone() {
        #expect(throws: ControlError.self) { try TransportName(.data, "d") }
        #expect(throws: ControlError.self) { try TransportName(.client, "c", hosts: ["a"]) }
    }

    @Test func aFolderWithoutAuthorityIsSaidToBeOne() {
        let error = #expect(throws: ControlError.self) { try AuthorityFolder(folder.path).authority() }
        #expect(error?.code == .authorityMissing)
    }
}
