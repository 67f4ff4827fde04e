// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct CertificateDraftTests {
    static let names: [GeneralName] = [
        .uri("signet://farm/data/1"), .dns("data1.example.com"), .dns("data.example.com"),
        .ip([127, 0, 0, 1]), .ip([UInt8](repeating: 0, count: 15) + [1]),
    ]

    static func code(_ body: () throws -> some Any) -> ErrorCode? {
        do { _ = try body() } catch { return (error as? any CodedError)?.code }
        return nil
    }

    // MARK: Foreign eyes

    /// Every algorithm as authority; `openssl verify` follows the chain by the strict rules.
    @Test(arguments: KeyAlgorithm.allCases)
    func opensslVerifiesTheHierarchy(_ algorithm: KeyAlgorithm) throws {
        let digest: DigestAlgorithm = algorithm == .p384 ? .sha384 : .sha256
        let root = try TestAuthority(algorithm, digest)
        let issuing = try root.issue(
            "Issuing", TestKeys.key(.p256).publicKey, .authority(pathLength: 0), days: 100)
        let below = try TestAuthority.draft(
            DistinguishedName(commonName: "Modules"), TestKeys.key(.rsa2048).publicKey, .moduleSigner
        ).signed(by: TestKeys.handle(.p256), issuer: issuing)
        let server = try root.issue(
            "data-1", TestKeys.key(.ed25519).publicKey, .transport(.data, Self.names))
        let client = try root.issue(
            "client-1", TestKeys.key(.p384).publicKey, .transport(.client, [.uri("signet://farm/c/1")]))
        let folder = try TemporaryFolder()
        let (rootFile, issuingFile) = (
            try folder.write("root", root.certificate.pem), try folder.write("issuing", issuing.pem)
        )
        for (name, certificate, purpose) in [
            ("leaf", below, "any"), ("server", server, "sslserver"), ("client", client, "sslclient"),
        ] {
            let file = try folder.write(name, certificate.pem)
            let output = try Command.check([
                "openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", rootFile, "-untrusted",
                issuingFile, file,
            ])
            #expect(output.text == "\(file): OK\n")
        }
        let wrong = try Command.run([
            "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", rootFile,
            folder.path + "/client",
        ])
        #expect(wrong.status != 0)
    }

    /// What OpenSSL reads, line by line.
    @Test func opensslReadsWhatWasAskedFor() throws {
        let root = try TestAuthority(.p256)
        let text = try Self.text(root.certificate)
        #expect(text.contains("Version: 3 (0x2)"))
        #expect(text.contains("Subject: C = DE, O = B\\C3\\BCro & S\\C3\\B6hne, CN = Root of p-256"))
        #expect(text.contains("X509v3 Basic Constraints: critical CA:TRUE, pathlen:1 "))
        #expect(text.contains("X509v3 Key Usage: critical Digital Signature, Certificate Sign, CRL Sign "))

        let leaf = try root.issue("Modules", TestKeys.key(.rsa2048).publicKey, .moduleSigner)
        let module = try Self.text(leaf)
        #expect(module.contains("X509v3 Basic Constraints: critical CA:FALSE "))
        #expect(module.contains("X509v3 Key Usage: critical Digital Signature, Non Repudiation "))
        #expect(module.contains("X509v3 Extended Key Usage: Code Signing "))
        let serial = root.certificate.serialNumber.map { Hex.encode([$0], .upper) }.joined(separator: ":")
        #expect(
            module.contains(
                "DirName:/C=DE/O=B\\xC3\\xBCro & S\\xC3\\xB6hne/CN=Root of p-256 serial:\(serial)"))

        let server = try root.issue(
            "data-1", TestKeys.key(.ed25519).publicKey, .transport(.data, Self.names))
        let transport = try Self.text(server)
        #expect(transport.contains("X509v3 Extended Key Usage: TLS Web Server Authentication "))
        let expected =
            "X509v3 Subject Alternative Name: URI:signet://farm/data/1, DNS:data1.example.com, "
            + "DNS:data.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1 "
        #expect(transport.contains(expected))
        #expect(!transport.contains("serial:"))
    }

    /// The key identifiers are the ones that OpenSSL computes itself.
    @Test func keyIdentifiersAgree() throws {
        let root = try TestAuthority(.rsa2048)
        let folder = try TemporaryFolder()
        let file = try folder.write("key", try TestKeys.pem(.rsa2048))
        let made = try Command.check(
            ["openssl", "req", "-x509", "-key", file, "-subj", "/CN=x", "-days", "1"]
        ).text
        let theirs = try #require(try Certificate.pem(made).first)
        #expect(theirs.subjectKeyIdentifier == root.certificate.subjectKeyIdentifier)
        #expect(root.certificate.authorityKeyIdentifier?.keyIdentifier == theirs.subjectKeyIdentifier)
    }

    static func text(_ certificate: Certificate) throws -> String {
        let output = try Command.check(
            ["openssl", "x509", "-noout", "-text"], input: Array(certificate.pem.utf8))
        return output.text.split(whereSeparator: \.isWhitespace).joined(separator: " ") + " "
    }

    // MARK: Our own

    @Test func ourChainPolicyTakesThem() throws {
        let root = try TestAuthority(.p256)
        let time = try TestKeys.time(days: 1)
        let cases: [(ChainPurpose, CertificateProfile)] = [
            (.server, .transport(.control, Self.names)),
            (.client, .transport(.client, [.dns("c.example.com"), .uri("signet://farm/c/1")])),
            (.codeSigning, .moduleSigner),
        ]
        for (purpose, profile) in cases {
            let leaf = try root.issue("x", TestKeys.key(.rsa3072).publicKey, profile)
            let policy = ChainPolicy(roots: [root.certificate], purpose: purpose, time: time)
            #expect(try UnverifiedChain(leaf).validated(by: policy).leaf == leaf)
        }
    }

    @Test func serialNumbersAreLongPositiveAndNew() throws {
        let numbers = try (0..<100).map { _ in try SerialNumber.random() }
        #expect(Set(numbers).count == 100)
        #expect(numbers.allSatisfy { $0.bytes.count == 16 && 0x40...0x7f ~= $0.bytes[0] })
        let all = try SerialNumber(entropy: [UInt8](repeating: 0xff, count: 16))
        #expect(all.description == "7F" + String(repeating: "FF", count: 15))
        #expect(throws: SignaturesError.self) { try SerialNumber(entropy: [1, 2, 3]) }
    }

    // MARK: Refusals

    @Test(arguments: [
        (TransportRole.client, [GeneralName](), false),
        (.client, [.uri("a:b")], true),
        (.client, [.uri("a:b"), .dns("c.d")], true),
        (.client, [.uri("a:b"), .uri("c:d")], false),
        (.client, [.dns("a.b"), .dns("c.d")], false),
        (.client, [.ip([1, 2, 3, 4])], false),
        (.data, [.uri("a:b")], false),
        (.data, [.ip([1, 2, 3, 4])], true),
        (.data, [.ip([1, 2, 3])], false),
        (.data, [.dns("a.b"), .dns("a.b")], false),
        (.control, [.dns("a.b"), .dns("c.d"), .uri("a:b")], true),
        (.control, [.dns("a.b"), .email("a@b")], false),
        (.control, [.dns("ä.b")], false),
        (.control, [.dns("a .b")], false),
    ])
    func namesOfTheTransport(_ role: TransportRole, _ names: [GeneralName], _ isGood: Bool) throws {
        let root = try TestAuthority(.p256)
        let key = try TestKeys.key(.ed25519).publicKey
        let made = try? root.issue("x", key, .transport(role, names))
        #expect((made != nil) == isGood)
    }

    @Test func wrongIssuersAreRefused() throws {
        let root = try TestAuthority(.p256, pathLength: 0)
        let key = try TestKeys.key(.rsa2048)
        let leaf = try root.issue("Leaf", key.publicKey, .moduleSigner)
        let name = try DistinguishedName(commonName: "x")
        let draft = try TestAuthority.draft(name, key.publicKey, .moduleSigner)
        // A leaf signs nothing; the issuer's key is not another one.
        #expect(Self.code { try draft.signed(by: TestKeys.handle(key), issuer: leaf) } == .draftRefused)
        let other = try TestKeys.handle(key)
        #expect(Self.code { try draft.signed(by: other, issuer: root.certificate) } == .signerMismatch)
        // A path length that the issuer does not leave, or none at all.
        for length in [0, 1, nil] {
            #expect(
                Self.code { try root.issue("x", key.publicKey, .authority(pathLength: length)) }
                    == .draftRefused)
        }
        // Longer than the issuer, backwards, and self-signed by another key or as a leaf.
        #expect(
            Self.code { try root.issue("x", key.publicKey, .moduleSigner, days: 4000) } == .draftRefused)
        #expect(Self.code { try root.issue("x", key.publicKey, .moduleSigner, days: -1) } == .draftRefused)
        #expect(Self.code { try draft.selfSigned(by: TestKeys.handle(key)) } == .draftRefused)
        let authority = try TestAuthority.draft(name, key.publicKey, .authority(pathLength: nil))
        #expect(Self.code { try authority.selfSigned(by: TestKeys.handle(.p256)) } == .signerMismatch)
        // What the kernel does not take.
        let edwards = try TestKeys.key(.ed25519).publicKey
        #expect(Self.code { try root.issue("x", edwards, .moduleSigner) } == .draftRefused)
    }

    @Test func weakDigestsAndPSSAreRefused() throws {
        let key = try TestKeys.key(.rsa2048)
        let name = try DistinguishedName(commonName: "x")
        let draft = try TestAuthority.draft(name, key.publicKey, .authority(pathLength: 0))
        for algorithm in [SignatureAlgorithm.rsaPSS(.sha256), .rsaPKCS1(.sha224)] {
            let handle = try SigningHandle(key, algorithm)
            #expect(Self.code { try draft.selfSigned(by: handle) } == .draftRefused)
        }
    }
}
