// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Who gets what.
@Suite(.serialized) struct GrantTests {
    /// Files of each kind; a fresh set for each use.
    static func files(_ house: House) throws -> (folder: TemporaryFolder, path: [String: String]) {
        let folder = try house.packages(1)
        try folder.write("SUMS", "0123  a\n")
        try Command.check(
            ["bash", "Scripts/demo-files", "module", folder.path + "/m.ko"], environment: house.environment,
            folder: Repository.root)
        return (
            folder,
            [
                "rpm": folder.path + "/sample-1.rpm", "generic": folder.path + "/SUMS",
                "module": folder.path + "/m.ko",
            ]
        )
    }

    /// Every client with every key and kind: what is granted is signed, all else is untouched.
    @Test func clientsGetExactlyWhatTheirGrantsSay() throws {
        let house = try House.open()
        for client in ["alpha", "beta"] { try house.addClient(client) }
        let grants: [(client: String, key: String, kind: String)] = [
            ("alpha", "packages", "rpm"), ("beta", "texts", "generic"), ("beta", "modules", "module"),
        ]
        for grant in grants {
            try house.manage(
                "grant", "add", "--client", "uri:signet://client/\(grant.client)", "--key", grant.key,
                "--kind",
                grant.kind)
        }
        for client in ["alpha", "beta"] {
            for key in ["packages", "texts", "modules", "kernel-ca", "nothing"] {
                for kind in ["rpm", "generic", "module"] {
                    let (folder, path) = try Self.files(house)
                    let before = try folder.read("sample-1.rpm") + folder.read("SUMS") + folder.read("m.ko")
                    let output = try house.signet(
                        ["sign", "--key", key, "--kind", kind, "--resign", "-o", "json", path[kind] ?? ""],
                        as: client)
                    let isGranted = grants.contains { $0 == (client, key, kind) }
                    let words =
                        "\(client) \(key) \(kind): \(output.status) \(output.text) \(output.errorText)"
                    #expect(isGranted == (output.status == 0), "\(words)")
                    if !isGranted {
                        // Whether there is such a key is nobody's business.
                        #expect([1, 3, 4].contains(output.status), "\(words)")
                        let after =
                            try folder.read("sample-1.rpm") + folder.read("SUMS") + folder.read("m.ko")
                        #expect(before == after, "\(words)")
                        #expect(!FileManager.default.fileExists(atPath: folder.path + "/SUMS.asc"))
                    }
                }
            }
        }
        let records = try house.manage(
            "record", "list", "--client", "uri:signet://client/alpha", "-o", "jsonl")
        #expect(records.split(separator: "\n").count == 1)
    }

    /// Whoever is not who he says he is gets nothing, whichever way he is not.
    @Test func badCertificatesGetNothing() throws {
        let house = try House.open()
        try house.addClient("gamma")
        try house.manage(
            "grant", "add", "--client", "uri:signet://client/gamma", "--key", "packages", "--kind", "rpm")
        let folder = try house.packages(1)
        func sign(_ client: String) throws -> Command.Output {
            try house.signet(
                [
                    "sign", "--key", "packages", "--resign", "--retry-for", "1s",
                    folder.path + "/sample-1.rpm",
                ],
                as: client)
        }
        let good = try sign("gamma")
        #expect(good.status == 0, "\(good.errorText)")

        // One of another authority, with the same name.
        let other = house.path("other")
        try Command.check([
            Products.path("control-admin"), "pki", "init", "--folder", other,
        ])
        try Command.check([
            Products.path("control-admin"), "pki", "issue", "--folder", other, "--role", "client", "--name",
            "gamma",
            "--out", house.path("pki/stranger"),
        ])
        // One that has expired, of the right authority.
        try Command.python(Self.issueLate, arguments: [house.path("pki")])
        for client in ["stranger", "late"] {
            try house.writeSettings(client)
            let output = try sign(client)
            #expect(
                output.status == 5 || output.status == 3, "\(client): \(output.status) \(output.errorText)")
        }
        // One that was revoked: from that moment on.
        try house.admin("pki", "revoke", "--role", "client", "--name", "gamma")
        let revoked = try sign("gamma")
        #expect(revoked.status == 3, "\(revoked.status) \(revoked.errorText)")
        #expect(try Self.recorded(house, "gamma") == 1)
    }

    private static func recorded(_ house: House, _ client: String) throws -> Int {
        try house.manage("record", "list", "--client", "uri:signet://client/" + client, "-o", "jsonl")
            .split(separator: "\n").count
    }

    /// Streams that were open before are of no use to a client whose certificate is revoked, on no server.
    @Test func aRevokedClientIsRefusedOnOpenStreams() throws {
        let house = try House.open()
        for client in ["delta", "epsilon"] {
            try house.addClient(client)
            try house.manage(
                "grant", "add", "--client", "uri:signet://client/\(client)", "--key", "packages", "--kind",
                "generic")
        }
        let stubs = try PythonStubs()
        func stream(_ server: String, _ client: String) throws -> Companion {
            try Companion(
                python: "signing_client.py",
                [
                    stubs.path, house.addresses(server).first ?? "", house.path("pki/ca.crt"),
                    house.path("pki/\(client).crt"), house.path("pki/\(client).key"),
                ])
        }
        func sign(_ stream: Companion) -> Substring {
            stream.write("sign packages generic 6f6e65")
            return stream.readLine()?.split(separator: " ").dropFirst().first ?? "nothing"
        }
        let streams = try ["data-server-one", "data-server-two"].map { try stream($0, "delta") }
        let other = try stream("data-server-one", "epsilon")
        for stream in streams + [other] { #expect(sign(stream) == "ok") }
        try house.admin("pki", "revoke", "--role", "client", "--name", "delta", "--reason", "key_compromise")
        // The command has returned, and nothing is signed any more: no waiting.
        for _ in 0..<3 { for stream in streams { #expect(sign(stream) == "client-denied") } }
        #expect(sign(other) == "ok")
        #expect(try Self.recorded(house, "delta") == 2)
        #expect(try Self.recorded(house, "epsilon") == 2)
        // A new certificate of the same name is another one.
        try house.admin("pki", "issue", "--role", "client", "--name", "delta", "--replace")
        #expect(sign(try stream("data-server-two", "delta")) == "ok")
    }

    private static let issueLate = """
        import datetime, sys
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        folder = sys.argv[1]
        ca = x509.load_pem_x509_certificate(open(folder + "/ca.crt", "rb").read())
        signer = serialization.load_pem_private_key(open(folder + "/ca.key", "rb").read(), None)
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(ca.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now - datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier("signet://client/gamma")]), True)
            .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), False)
            .sign(signer, hashes.SHA256()))
        pem = serialization.Encoding.PEM
        open(folder + "/late.crt", "wb").write(certificate.public_bytes(pem))
        with open(folder + "/late.key", "wb") as file:
            import os
            os.fchmod(file.fileno(), 0o600)
            file.write(key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        """

    /// A key that is switched off signs no more within a second, for those too who are at it.
    @Test func aDisabledKeyIsRefusedOnAnOpenStream() throws {
        let house = try House.open()
        let folder = try house.packages(Trials.count(60, full: 300))
        let run = try Companion([
            "env", "SIGNET_CONFIG=" + house.path("client.toml"), Products.path("signet"), "sign", "--key",
            "packages",
            "--jobs", "1", "--output", "jsonl", folder.path,
        ])
        // It is under way.
        var lines = [run.readLine() ?? ""]
        #expect(lines[0].contains(#""status":"signed""#))
        try house.manage("key", "disable", "packages")
        let disabled = Date()
        defer { _ = try? house.manage("key", "enable", "packages") }
        while let line = run.readLine() { lines.append(line) }
        let signed = lines.filter { $0.contains(#""status":"signed""#) }.count
        let refused = lines.filter { $0.contains(#""code":"key-disabled""#) }.count
        #expect(refused > 0 && signed + refused == lines.count - 1, "\(lines.suffix(3))")
        // By the records' own times; the command returned when it was in force.
        let limit = Int(disabled.timeIntervalSince1970.rounded(.up))
        let late = try house.sql(
            "SET time_zone = '+00:00'; SELECT COUNT(*) FROM signature_record WHERE kind = 'rpm' AND "
                + "signed_at > FROM_UNIXTIME(\(limit))")
        #expect(late == "0\n")
    }
}
