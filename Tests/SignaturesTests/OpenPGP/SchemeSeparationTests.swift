// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import TestSupport
import Testing

@testable import Signatures

/// Why a key has one scheme for life, and what the data path can never be made to say.
@Suite struct SchemeSeparationTests {
    /// The attack that one key for two schemes would allow: the content of a detached OpenPGP job is the beginning of
    /// a certificate whose last extension swallows the trailer. OpenSSL takes the result for an authority's word. So
    /// Keyring gives a key one scheme, and no other key may have the same public half.
    @Test func anOpenPGPSignatureCouldBeACertificate() throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority(.rsa2048)
        let owner = try TestOwner(.rsa2048)
        let signer = try owner.signer()
        // What the trailer will be is known to anybody but for the second.
        let trailer = try OpenPGPSignature.suffix(
            UnsignedPacket(0, signer.key, created: UInt32(TestKeys.now), after: RunningDigest(.sha256)).prefix
        )
        let thief = try TestKeys.key(.p256)
        let body = try Self.body(for: thief.publicKey, under: authority, endingWith: trailer)
        #expect(body.suffix(trailer.count).elementsEqual(trailer))
        let content = Array(body.dropLast(trailer.count))
        let packet = try owner.sign(content, .sha256)
        let number = try #require(try OpenPGPSignature(packet).numbers?.first)
        let signature = try #require(MPI.padded(number, to: 256).flatMap { BitString($0) })
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.encoded(body)
            try SignatureAlgorithm.rsaPKCS1(.sha256).writeIdentifier(to: &writer)
            writer.bitString(signature)
        }
        let forged = try folder.write("forged.der", writer.bytes)
        let root = try folder.write("root.der", authority.certificate.der)
        for name in ["forged", "root"] {
            try Command.check([
                "openssl", "x509", "-inform", "DER", "-in", "\(folder.path)/\(name).der", "-out",
                "\(folder.path)/\(name).pem",
            ])
        }
        let judged = try Command.run([
            "openssl", "verify", "-check_ss_sig", "-CAfile", folder.path + "/root.pem",
            folder.path + "/forged.pem",
        ])
        #expect(judged.status == 0, "\(judged.errorText) \(forged) \(root)")
    }

    private static func body(
        for key: PublicKey, under authority: TestAuthority, endingWith trailer: [UInt8]
    ) throws -> [UInt8] {
        var extensions = DERWriter()
        extensions.sequence { writer in
            writer.oid("2.5.29.19")
            writer.octetString([0x30, 3, 1, 1, 0xff])
        }
        extensions.sequence { writer in
            writer.oid("1.3.6.1.4.1.99999.1")
            writer.octetString(trailer)
        }
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.explicit(0) { $0.integer(2) }
            writer.integer(77)
            try SignatureAlgorithm.rsaPKCS1(.sha256).writeIdentifier(to: &writer)
            writer.encoded(authority.certificate.subject.der)
            try writer.sequence { writer in
                writer.time(try TestKeys.time(days: -1))
                writer.time(try TestKeys.time(days: 9))
            }
            writer.encoded(try DistinguishedName(commonName: "Thief").der)
            writer.encoded(try key.spki())
            writer.explicit(3) { $0.sequence { $0.encoded(extensions.bytes) } }
        }
        return writer.bytes
    }

    /// Whatever a client sends as content, text or midstate, the bytes that are hashed end with our trailer: read as
    /// a signature of any version, it is over a document and never over a key. Nobody can change the type afterwards.
    @Test(arguments: [KeyAlgorithm.rsa2048, .p256, .ed25519])
    func nothingIsOverAKey(_ algorithm: KeyAlgorithm) throws {
        var random = Trials.generator("over a key \(algorithm.rawValue)")
        let owner = try TestOwner(algorithm)
        let key = owner.certificate.primary.key
        let types: [UInt8] = [0x10, 0x13, 0x18, 0x19, 0x1f, 0x20, 0x28, 0x30, 0x02, 0x40, 0x50]
        for _ in 0..<Trials.count(60, full: 5_000) {
            let digest = try #require(
                [DigestAlgorithm.sha256, .sha384, .sha512].randomElement(using: &random))
            let type = try #require(types.randomElement(using: &random))
            // The bytes of a statement about keys, cut anywhere and with anything behind it.
            let wanted = try UnsignedPacket(
                type, key, created: UInt32(TestKeys.now), after: RunningDigest(digest))
            var content = key.hashed + key.hashed + OpenPGPSignature.suffix(wanted.prefix)
            if Bool.random(using: &random) { content.removeLast(Int.random(in: 0..<80, using: &random)) }
            if Bool.random(using: &random) {
                content += wanted.prefix.map { $0 ^ (Bool.random(using: &random) ? 1 : 0) }
            }
            let packet: [UInt8]
            if Bool.random(using: &random) {
                packet = try owner.sign(content, digest)
            } else {
                let midstate = try OpenPGPSignatureTests.midstate(content, digest)
                packet = try OpenPGPSignatureDraft(
                    .text, resuming: midstate, signer: owner.signer(), created: TestKeys.now
                ).signed(by: TestKeys.handle(algorithm, digest))
            }
            let signature = try OpenPGPSignature(packet)
            #expect(signature.isOverDocument)
            // With any other type, and over any beginning of the content, it does not hold.
            for other in types {
                var changed = signature.body
                changed[1] = other
                let statement = try OpenPGPSignature(body: changed)
                for end in [content.count, key.hashed.count, 2 * key.hashed.count] where end <= content.count
                {
                    var running = RunningDigest(digest)
                    running.update(Array(content[..<end]))
                    #expect(try statement.isMade(by: key, after: running) == false)
                }
            }
        }
    }

    /// The same key, content and time give the same bytes where the algorithm has no chance in it.
    @Test(arguments: [KeyAlgorithm.rsa2048, .rsa4096, .ed25519], OpenPGPSignatureDraft.Document.allCases)
    func signingTwiceGivesTheSameBytes(
        _ algorithm: KeyAlgorithm, _ document: OpenPGPSignatureDraft.Document
    ) throws {
        let owner = try TestOwner(algorithm)
        let text = Array("one\r\ntwo\n".utf8)
        #expect(try owner.sign(text, .sha512, document) == owner.sign(text, .sha512, document))
        let again = try TestOwner(algorithm)
        #expect(again.certificate == owner.certificate)
        #expect(
            try owner.sign(text, .sha512, document)
                != owner.sign(text, .sha512, document, at: TestKeys.now - 1))
    }
}
