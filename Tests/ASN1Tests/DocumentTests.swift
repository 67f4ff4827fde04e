// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import TestSupport
import Testing

/// Whole documents that openssl makes.
@Suite struct DocumentTests {
    static let script = """
        set -e
        cd "$0"
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
        openssl req -x509 -new -key key.pem -days 20000 -subj '/C=DE/O=Example Farm/CN=Größe' -utf8 \
            -addext subjectAltName=DNS:a.example,IP:10.0.0.1 -addext keyUsage=critical,digitalSignature \
            -outform DER -out certificate.der
        openssl x509 -inform DER -in certificate.der -text -out certificate.pem
        openssl req -new -key key.pem -subj /CN=x -outform DER -out request.der
        printf content > content
        openssl cms -sign -binary -in content -signer certificate.pem -inkey key.pem -outform DER -out cms.der
        openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der
        cat certificate.pem key.pem > both.pem
        """

    @Test func areReadAndWrittenTheSame() throws {
        let folder = try TemporaryFolder()
        try Command.check(["bash", "-c", Self.script, folder.path])
        for name in ["certificate", "request", "cms", "key"] {
            let bytes = try folder.read(name + ".der")
            let tree = try Tree(der: bytes)
            #expect(try tree.der() == bytes, "\(name)")
            for count in stride(from: 0, to: bytes.count, by: 7) {
                #expect(throws: ASN1Error.self, "\(name), \(count) bytes") {
                    try Tree(der: Array(bytes[..<count]))
                }
            }
        }
        let text = try folder.read("both.pem")
        let blocks = try PEMBlock.blocks(in: text.span)
        #expect(blocks.map(\.label) == ["CERTIFICATE", "PRIVATE KEY"])
        let certificate = try blocks[0].decode(from: text.span)
        let key = try blocks[1].decode(from: text.span)
        #expect(try certificate == folder.read("certificate.der"))
        #expect(try key == folder.read("key.der"))
        let again =
            PEMBlock.encode(certificate, label: "CERTIFICATE") + PEMBlock.encode(key, label: "PRIVATE KEY")
        #expect(String(decoding: text, as: UTF8.self).hasSuffix(PEMBlock.encode(key, label: "PRIVATE KEY")))
        #expect(try PEMBlock.blocks(in: Array(again.utf8).span).count == 2)
    }
}
