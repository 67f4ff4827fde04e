// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import Foundation
import HTTP
import Keyring
import Settings
import Signatures
import SigningFarm
import TestPeers
import TestSupport
import Testing
import Transport

@testable import DataService

/// A data-server in this process on a farm in memory, with its keys and clients, and Python's client of the `.proto`.
final class Stand: Sendable {
    let tls: TestTLS
    let farm: Farm
    let server: DataServer
    let stubs: PythonStubs
    let authority: [UInt8]
    /// An OpenPGP key, and one for modules.
    let release: KeyRecord
    let module: KeyRecord
    let sink: LogSink

    /// `limits` are lines for `[data-server.limits]`.
    static func make(
        limits: String = "", clockAhead: Duration = .zero, wrappedBy wrapping: (any KeyWrapping)? = nil
    ) async throws -> Stand {
        let tls = try await TestTLS.make()
        let farm = try await Farm(wrappedBy: wrapping)
        let stubs = try await apart {
            try tls.ca.issue("other", san: "URI:spiffe://test/other")
            try tls.ca.issue("expired", san: "URI:spiffe://test/client", expired: true)
            try tls.ca.issue("nameless")
            return try PythonStubs()
        }
        let authority = try await apart { try tls.fingerprint("ca") }
        let release = try addOpenPGP("release", .ed25519, to: farm)
        let module = try addModule("modules", to: farm)
        try farm.grant(
            [release], kinds: [.rpm, .generic, .cleartext], to: "spiffe://test/client", of: authority)
        try farm.grant([module], kinds: [.module], to: "spiffe://test/client", of: authority)
        try farm.grant([release], kinds: [.generic], to: "spiffe://test/other", of: authority)
        farm.set { $0.clockAhead = clockAhead }
        return try await Stand(tls, farm, stubs, authority, release, module, limits, wrapping ?? farm.kms)
    }

    private init(
        _ tls: TestTLS, _ farm: Farm, _ stubs: PythonStubs, _ authority: [UInt8], _ release: KeyRecord,
        _ module: KeyRecord, _ limits: String, _ wrapping: any KeyWrapping
    ) async throws {
        (self.tls, self.farm, self.stubs, self.authority) = (tls, farm, stubs, authority)
        (self.release, self.module) = (release, module)
        sink = try LogSink(program: "test", descriptor: 2, level: .error)
        let text = Self.settings(tls, limits: limits)
        let file = try SettingsFile(path: tls.folder.path + "/data-server.toml", contents: Array(text.utf8))
        let (settings, _) = try DataServerSettings.read(SettingsSources(files: [file]))
        server = try await DataServer(
            settings, keys: farm, records: farm, wrapping: wrapping, log: Log(to: sink))
    }

    static func settings(_ tls: TestTLS, limits: String) -> String {
        """
        name = "data-1"
        environment = "development"
        tls_cert = "\(tls.file("server.crt"))"
        tls_key = "\(tls.file("server.key"))"
        ca_root = "\(tls.ca.certificate)"
        [data-server]
        server_port = 0
        status_port = 0
        loops = 2
        [data-server.limits]
        \(limits)
        [database]
        servers = ["127.0.0.1:3306"]
        user = "data"
        [memory.kms-provider]
        type = "dummy"
        file = "kms.key"
        """
    }

    /// Who looks for the log of a test finds what went wrong, and no more.
    static func silentLog() throws -> Log {
        Log(to: try LogSink(program: "test", descriptor: unsafe open("/dev/null", O_WRONLY)))
    }

    func client(_ name: String = "client") throws -> PythonClient {
        try PythonClient(
            Companion(
                python: "signing_client.py",
                [
                    stubs.path, "127.0.0.1:\(server.address.port)", tls.ca.certificate,
                    tls.file(name + ".crt"), tls.file(name + ".key"),
                ]))
    }

    func stop() async { await server.drain(within: .seconds(2)) }

    /// What a page of the status port says.
    func page(_ path: String) throws -> (status: String, text: String) {
        let port = server.statusAddress?.port ?? 0
        let output = try Command.run([
            "curl", "-s", "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)",
        ])
        let lines = output.text.split(separator: "\n", omittingEmptySubsequences: false)
        return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
    }

    // MARK: Keys

    static func addOpenPGP(_ name: String, _ algorithm: KeyAlgorithm, to farm: Farm) throws -> KeyRecord {
        try addOpenPGP(name, PrivateKey.generate(algorithm), to: farm)
    }

    static func addOpenPGP(_ name: String, _ pair: PrivateKey, to farm: Farm) throws -> KeyRecord {
        let created = Moment.now() + .seconds(-3600)
        let signature: SignatureAlgorithm =
            switch pair.algorithm.family {
            case .rsa: .rsaPKCS1(.sha512)
            case .ecdsa: .ecdsa(.sha512)
            case .ed25519: .ed25519
            }
        let certificate = try OpenPGPCertificateDraft(
            userID: "Farm <\(name)@example.org>", key: pair.publicKey, created: created.seconds
        ).signed(by: SigningHandle(pair, signature))
        return try farm.add(
            name, pair, fingerprint: certificate.fingerprint, certificate: certificate.encoded,
            created: Moment(seconds: created.seconds))
    }

    static func addModule(_ name: String, to farm: Farm) throws -> KeyRecord {
        try addSigner(name, .module, to: farm)
    }

    /// A key with a certificate of an authority made on the spot, whose own follows it.
    static func addSigner(_ name: String, _ scheme: SigningScheme, to farm: Farm) throws -> KeyRecord {
        guard let profile = CertificateProfile(signersOf: scheme) else { throw Away(message: "no profile") }
        let (root, leaf) = (try PrivateKey.generate(.p256), try PrivateKey.generate(.rsa2048))
        let now = Moment.now().seconds
        guard let start = ASN1Time(secondsSince1970: now - 3600),
            let end = ASN1Time(secondsSince1970: now + 86400)
        else { throw Away(message: "no time") }
        let handle = try SigningHandle(root, .ecdsa(.sha256))
        let authority = try CertificateDraft(
            subject: DistinguishedName([(DistinguishedName.commonName, "Farm CA")]), key: root.publicKey,
            serial: .random(), notBefore: start, notAfter: end, profile: .authority(pathLength: 0)
        ).selfSigned(by: handle)
        let certificate = try CertificateDraft(
            subject: DistinguishedName([(DistinguishedName.commonName, "Farm \(name)")]), key: leaf.publicKey,
            serial: .random(), notBefore: start, notAfter: end, profile: profile
        ).signed(by: handle, issuer: authority)
        let chain = certificate.der + (scheme == .module ? [] : authority.der)
        return try farm.add(name, leaf, scheme: scheme, certificate: chain)
    }
}

/// A client that was made from the `.proto`, spoken with in lines.
final class PythonClient {
    let companion: Companion

    init(_ companion: Companion) { self.companion = companion }

    /// Of a server of its own process.
    convenience init(of server: RunningServer, _ farm: SigningFarm, _ stubs: PythonStubs) throws {
        try self.init(
            Companion(
                python: "signing_client.py",
                [
                    stubs.path, "127.0.0.1:\(server.port)", farm.tls.ca.certificate,
                    farm.tls.file("client.crt"), farm.tls.file("client.key"),
                ]))
    }

    /// Sends a job and returns its answer's words.
    func sign(_ key: String, _ kind: String, _ content: [UInt8], job: String? = nil) -> [String] {
        companion.write("sign \(key) \(kind) \(content.isEmpty ? "-" : Hex.encode(content)) \(job ?? "")")
        return answer()
    }

    func ask(_ line: String) -> [String] {
        companion.write(line)
        return answer()
    }

    func answer() -> [String] {
        (companion.readLine() ?? "ended").split(separator: " ", omittingEmptySubsequences: false).map {
            String($0)
        }
    }
}
