// SPDX-License-Identifier: Apache-2.0

import ASN1
import Cryptography
import TestSupport
import Testing

@Suite struct MadeNameTests {
    @Test func isWhatOpenSSLMakesOfTheSameText() throws {
        let folder = try TemporaryFolder()
        try Command.check([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", folder.path + "/key", "-out", folder.path + "/certificate", "-utf8", "-subj",
            "/C=DE/ST=Büro/L=Köln/O=Farm/OU=Signing & more/CN=Röt",
        ])
        let text = String(decoding: try folder.read("certificate"), as: UTF8.self)
        let theirs = try #require(try Certificate.pem(text).first)
        let ours = try DistinguishedName([
            (DistinguishedName.country, "DE"), (DistinguishedName.province, "Büro"),
            (DistinguishedName.locality, "Köln"), (DistinguishedName.organization, "Farm"),
            (DistinguishedName.organizationalUnit, "Signing & more"), (DistinguishedName.commonName, "Röt"),
        ])
        #expect(ours.der == theirs.subject.der)
        #expect(ours == theirs.subject)
    }

    @Test(arguments: [
        (DistinguishedName.country, "de"), (DistinguishedName.country, "DEU"),
        (DistinguishedName.commonName, ""),
        (DistinguishedName.commonName, String(repeating: "ä", count: 65)),
        (DistinguishedName.commonName, "a\u{0}b"), (DistinguishedName.commonName, "a\nb"),
        ("1.2.840.113549.1.9.1", "a@example.com"),
    ])
    func refuses(_ type: OID, _ text: String) {
        #expect(throws: CryptographyError.self) { try DistinguishedName([(type, text)]) }
    }

    @Test func takesTheLongest() throws {
        let text = String(repeating: "ä", count: 64)
        #expect(try DistinguishedName(commonName: text).texts(DistinguishedName.commonName) == [text])
    }
}
