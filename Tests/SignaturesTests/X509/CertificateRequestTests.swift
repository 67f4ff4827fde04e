// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct CertificateRequestTests {
    static let python = Repository.path(".build/python/bin/python3")

    /// Made by OpenSSL with extensions that nobody gets for asking.
    @Test(arguments: [
        (KeyAlgorithm.rsa2048, "-sha256", true), (.rsa4096, "-sha512", true), (.p256, "-sha256", true),
        (.p384, "-sha384", true), (.ed25519, "-sha256", true), (.rsa2048, "-sha1", false),
        (.p256, "-sha224", false),
    ])
    func issuesForWhatOpensslAsks(_ algorithm: KeyAlgorithm, _ digest: String, _ isTaken: Bool) throws {
        let folder = try TemporaryFolder()
        let key = try folder.write("key", TestKeys.pem(algorithm))
        let made = try Command.check([
            "openssl", "req", "-new", "-key", key, digest, "-subj", "/C=DE/O=Farm/CN=Requester", "-addext",
            "basicConstraints=critical,CA:TRUE", "-addext", "extendedKeyUsage=codeSigning",
        ]).text
        guard isTaken else {
            #expect(CertificateDraftTests.code { try CertificateRequest(pem: made) } == .requestMalformed)
            return
        }
        let request = try CertificateRequest(pem: made)
        #expect(request.subject.description == "CN=Requester,O=Farm,C=DE")
        #expect(try request.publicKey() == TestKeys.key(algorithm).publicKey)
        #expect(request.pem == made)
        let root = try TestAuthority(.rsa2048)
        let profile: CertificateProfile =
            algorithm == .ed25519 ? .transport(.client, [.dns("a.b")]) : .contentSigner
        let certificate = try CertificateDraft(
            for: request, serial: .random(), notBefore: TestKeys.time(days: 0),
            notAfter: TestKeys.time(days: 9),
            profile: profile
        ).signed(by: root.handle, issuer: root.certificate)
        #expect(certificate.basicConstraints?.isAuthority == false)
        #expect(certificate.extendedKeyUsage?.contains(SignerRules.codeSigning) == false)
        let leaf = try folder.write("leaf", certificate.pem)
        try Command.check([
            "openssl", "verify", "-x509_strict", "-CAfile", folder.write("root", root.certificate.pem), leaf,
        ])
    }

    @Test(arguments: [KeyAlgorithm.rsa2048, .p256, .p384, .ed25519])
    func opensslVerifiesOurs(_ algorithm: KeyAlgorithm) throws {
        let name = try DistinguishedName(commonName: "Ours")
        let request = try CertificateRequest(
            subject: name, by: TestKeys.handle(algorithm, algorithm == .p384 ? .sha384 : .sha256))
        let output = try Command.run(
            ["openssl", "req", "-verify", "-noout", "-subject"], input: Array(request.pem.utf8))
        #expect(output.status == 0 && output.text == "subject=CN = Ours\n", "\(output.errorText)")
    }

    @Test func noChangedByteIsAccepted() throws {
        let name = try DistinguishedName(commonName: "Ours")
        let der = try CertificateRequest(subject: name, by: TestKeys.handle(.p256)).der
        for place in der.indices {
            var bad = der
            bad[place] ^= 1
            #expect(throws: SignaturesError.self, "byte \(place)") { try CertificateRequest(der: bad.span) }
        }
    }

    // MARK: Another library's eyes

    /// Every profile, as Python's cryptography reads it and verifies its signature.
    @Test func pythonReadsEveryProfile() throws {
        let root = try TestAuthority(.p384, .sha384)
        let issuing = try root.issue("Issuing", TestKeys.key(.rsa2048).publicKey, .authority(pathLength: 0))
        let key = try TestKeys.key(.rsa3072).publicKey
        let folder = try TemporaryFolder()
        try folder.write("root.pem", root.certificate.pem)
        let profiles: [(String, CertificateProfile)] = [
            ("efi", .imageSigner), ("module", .moduleSigner), ("cms", .contentSigner),
            ("timestamp", .timestampSigner),
        ]
        try folder.write("issuing.pem", issuing.pem)
        for (name, profile) in profiles {
            let certificate = try TestAuthority.draft(DistinguishedName(commonName: name), key, profile)
                .signed(by: TestKeys.handle(.rsa2048), issuer: issuing)
            try folder.write(name + ".pem", certificate.pem)
        }
        let list = try RevocationListDraft(
            issuer: root.certificate, number: 300, thisUpdate: TestKeys.time(days: 0),
            nextUpdate: TestKeys.time(days: 7),
            entries: [
                .init(
                    serialNumber: issuing.serialNumber, date: TestKeys.time(days: 0),
                    reason: .cessationOfOperation)
            ]
        ).signed(by: root.handle)
        try folder.write("list.pem", list.pem)
        let output = try Command.check([Self.python, "-c", Self.script, folder.path]).text
        #expect(
            output == """
                issuing True 0 keyCertSign,cRLSign,digitalSignature - -
                efi False None - 1.3.6.1.5.5.7.3.3 False
                module False None digitalSignature,contentCommitment 1.3.6.1.5.5.7.3.3 False
                cms False None digitalSignature,contentCommitment 1.3.6.1.5.5.7.3.4 False
                timestamp False None digitalSignature,contentCommitment 1.3.6.1.5.5.7.3.8 True
                list 300 cessation_of_operation

                """)
    }

    private static let script = """
        import sys
        from cryptography import x509
        folder = sys.argv[1] + "/"
        load = lambda name: x509.load_pem_x509_certificate(open(folder + name + ".pem", "rb").read())
        root, issuing = load("root"), load("issuing")
        issuing.verify_directly_issued_by(root)
        names = ["keyCertSign", "cRLSign", "digitalSignature", "contentCommitment"]
        fields = ["key_cert_sign", "crl_sign", "digital_signature", "content_commitment"]
        for name in ["issuing", "efi", "module", "cms", "timestamp"]:
            certificate = load(name)
            if name != "issuing":
                certificate.verify_directly_issued_by(issuing)
            extension = lambda sort: certificate.extensions.get_extension_for_class(sort)
            basic = extension(x509.BasicConstraints)
            assert basic.critical
            try:
                usage = extension(x509.KeyUsage)
                assert usage.critical
                usage = ",".join(n for n, f in zip(names, fields) if getattr(usage.value, f))
            except x509.ExtensionNotFound:
                usage = "-"
            try:
                extended = extension(x509.ExtendedKeyUsage)
                uses, critical = ",".join(use.dotted_string for use in extended.value), extended.critical
            except x509.ExtensionNotFound:
                uses, critical = "-", "-"
            parent = root if name == "issuing" else issuing
            own = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
            assert extension(x509.AuthorityKeyIdentifier).value.key_identifier == own
            print(name, basic.value.ca, basic.value.path_length, usage, uses, critical)
        crl = x509.load_pem_x509_crl(open(folder + "list.pem", "rb").read())
        assert crl.is_signature_valid(root.public_key())
        entry = crl.get_revoked_certificate_by_serial_number(issuing.serial_number)
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        print("list", number, entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name)
        """
}
