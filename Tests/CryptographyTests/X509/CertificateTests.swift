// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Cryptography

@Suite struct CertificateTests {
    /// Every certificate that Python made says to us what it says to Python.
    @Test func agreesWithPython() throws {
        let made = try ChainMaker.made.get()
        #expect(made.facts.count > 40)
        for (name, facts) in made.facts {
            let certificate = try ChainMaker.certificate(name)
            #expect(Hex.encode(certificate.serialNumber) == facts.serial, "\(name)")
            #expect(certificate.subject.description == facts.subject, "\(name)")
            #expect(certificate.issuer.description == facts.issuer, "\(name)")
            #expect(certificate.notBefore.secondsSince1970 == facts.notBefore, "\(name)")
            #expect(certificate.notAfter.secondsSince1970 == facts.notAfter, "\(name)")
            let names = certificate.subjectAlternativeNames.map { name in
                if case .other = name { "other" } else { name.description }
            }
            #expect(names == facts.names, "\(name)")
            #expect(certificate.basicConstraints?.isAuthority == facts.authority, "\(name)")
            #expect(certificate.basicConstraints?.pathLength == facts.pathLength, "\(name)")
            #expect(certificate.keyUsage.map(Self.names) == facts.usages, "\(name)")
            #expect(certificate.extendedKeyUsage?.map(\.description) == facts.extendedUsages, "\(name)")
            #expect(certificate.subjectKeyIdentifier.map { Hex.encode($0) } == facts.subjectKey, "\(name)")
            #expect(
                certificate.authorityKeyIdentifier?.keyIdentifier.map { Hex.encode($0) }
                    == facts.authorityKey,
                "\(name)")
            #expect(certificate.fingerprint.description == facts.fingerprint, "\(name)")
            #expect(certificate.signatureAlgorithm.description == facts.algorithm, "\(name)")
            #expect(certificate.publicKeyInfo == [UInt8](facts.spki), "\(name)")
            #expect(certificate.tbs == [UInt8](facts.tbs), "\(name)")
        }
    }

    private static func names(_ usage: KeyUsage) -> [String] {
        let all: [(KeyUsage, String)] = [
            (.digitalSignature, "digital_signature"), (.nonRepudiation, "content_commitment"),
            (.keyEncipherment, "key_encipherment"), (.dataEncipherment, "data_encipherment"),
            (.keyAgreement, "key_agreement"), (.keyCertSign, "key_cert_sign"), (.crlSign, "crl_sign"),
            (.encipherOnly, "encipher_only"), (.decipherOnly, "decipher_only"),
        ]
        return all.filter { usage.contains($0.0) }.map(\.1)
    }

    @Test func readsWhatTheCommandPrints() throws {
        for name in ["server", "names", "version1", "no-subject"] {
            let certificate = try ChainMaker.certificate(name)
            let printed = try Command.check(
                [
                    "openssl", "x509", "-noout", "-subject", "-serial", "-fingerprint", "-sha256", "-nameopt",
                    "RFC2253,-esc_msb",
                ], input: Array(certificate.pem.utf8)
            ).text.split(separator: "\n")
            let fingerprint = Hex.encode(certificate.fingerprint.bytes, .upper)
            #expect(printed.contains("subject=\(certificate.subject)"))
            #expect(printed.contains { $0.hasSuffix(Hex.encode(certificate.serialNumber, .upper)) })
            #expect(printed.contains { $0.filter { $0 != ":" }.hasSuffix(fingerprint) })
            #expect(try Certificate.pem(certificate.pem) == [certificate])
        }
        #expect(try ChainMaker.certificate("version1").extensions.isEmpty)
    }

    @Test func givesItsKey() throws {
        let certificate = try ChainMaker.certificate("server")
        let key = try certificate.publicKey()
        #expect(key.algorithm == .p256)
        #expect(try key.spki() == certificate.publicKeyInfo)
        #expect(certificate.subject.texts(DistinguishedName.commonName) == ["server"])
        #expect(certificate.subject.texts(DistinguishedName.country) == ["DE"])
    }

    @Test(arguments: [
        ("an inner algorithm that differs", "06082a8648ce3d040302", "06082a8648ce3d040303"),
        ("critical: false written out", "0603551d130101ff", "0603551d13010100"),
        ("a boolean that is neither", "0603551d130101ff", "0603551d13010101"),
        ("a name with a zero byte", "612e6578616d706c652e636f6d", "612e657800706c652e636f6d00"),
        ("a name with a space", "612e6578616d706c652e636f6d", "612e657820706c652e636f6d20"),
        ("an extension twice", "0603551d25", "0603551d0f"),
        ("a month 13", "3234303130313030303030305a", "3234313330313030303030305a"),
        ("an unknown version", "a003020102", "a003020103"),
        ("a negative serial", "020300", "0203ff"),
    ])
    func refuses(_ name: String, _ old: String, _ new: String) throws {
        let der = Hex.encode(try ChainMaker.certificate("server").der)
        // Only the first place, which is the signed one.
        let place = try #require(der.range(of: old), "\(name)")
        let bytes = try Hex.decode(der.replacingCharacters(in: place, with: new))
        let error = #expect(throws: CryptographyError.self, "\(name)") { try Certificate(der: bytes.span) }
        #expect(error?.code == .certificateMalformed)
    }

    @Test func refusesWhatFollowsAndWhatIsCutOff() throws {
        let der = try ChainMaker.certificate("server").der
        let longer = der + [0]
        #expect(throws: CryptographyError.self) { try Certificate(der: longer.span) }
        for count in 0..<der.count {
            let shorter = Array(der.prefix(count))
            #expect(throws: CryptographyError.self) { try Certificate(der: shorter.span) }
        }
    }
}
