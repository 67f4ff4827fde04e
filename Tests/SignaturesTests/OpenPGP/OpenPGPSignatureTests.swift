// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct OpenPGPSignatureTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var key: KeyAlgorithm
        var subkey: KeyAlgorithm?
        var digest: DigestAlgorithm
        var testDescription: String {
            "\(key.rawValue) \(subkey?.rawValue ?? "alone") \(digest.rawValue)"
        }
    }

    static let cases: [Case] =
        KeyAlgorithm.allCases.flatMap { key in
            [DigestAlgorithm.sha256, .sha384, .sha512]
                .filter { SigningScheme.openpgp.takes($0, with: key) }
                .map { Case(key: key, digest: $0) }
        } + [
            Case(key: .rsa4096, subkey: .rsa2048, digest: .sha256),
            Case(key: .p384, subkey: .ed25519, digest: .sha512),
            Case(key: .ed25519, subkey: .p256, digest: .sha256),
        ]

    static let text = Array("one line\n  another, with white space \t\r\n\nthe last one".utf8)

    // MARK: Foreign eyes

    /// Each algorithm and digest, over bytes and text: accepted as it is, refused with one bit changed.
    @Test(arguments: cases)
    func othersAccept(_ given: Case) throws {
        let owner = try TestOwner(given.key, subkey: given.subkey)
        for document in OpenPGPSignatureDraft.Document.allCases {
            let packet = try owner.sign(Self.text, given.digest, document)
            var changed = Self.text
            changed[3] ^= 1
            for verifier in Verifier.allCases {
                #expect(try verifier.accepts(packet, Self.text, owner.certificate), "\(verifier)")
            }
            let strict: Verifier = document == .binary ? .gpgv : .sqv
            #expect(try !strict.accepts(packet, changed, owner.certificate))
            let read = try OpenPGPSignature(packet.span)
            #expect(read.encoded == packet)
            let verdict = try owner.certificate.verdict(on: read, content: Self.text, at: TestKeys.now)
            #expect(verdict.isValid)
            let signer = try owner.signer()
            #expect(verdict.signer == "\(signer)")
            #expect(verdict.created == TestKeys.now)
            let refused = try owner.certificate.verdict(on: read, content: changed.span, at: TestKeys.now)
            #expect(refused.refusal == .mismatch)
        }
        let armored = OpenPGPArmor.signature.encode(try owner.sign(Self.text, given.digest))
        #expect(try Verifier.gpgv.accepts(Array(armored.utf8), Self.text, owner.certificate))
        #expect(try Verifier.sqv.accepts(Array(armored.utf8), Self.text, owner.certificate))
    }

    @Test func gpgListsThePacket() throws {
        let owner = try TestOwner(.rsa2048)
        let packet = try owner.sign(Self.text, .sha384, .text)
        let gpg = try GnuPG()
        let text = try gpg.run(["--list-packets"], input: packet).text
        let (print, id) = (
            Hex.encode(owner.certificate.fingerprint, .upper), Hex.encode(owner.certificate.keyID, .upper)
        )
        let expected = """
            :signature packet: algo 1, keyid \(id)
            \tversion 4, created \(TestKeys.now), md5len 0, sigclass 0x01
            \tdigest algo 9,
            """
        #expect(text.contains(expected))
        #expect(text.contains("hashed subpkt 33 len 21 (issuer fpr v4 \(print))"))
        #expect(text.contains("hashed subpkt 2 len 4 (sig created"))
        #expect(text.contains("\tsubpkt 16 len 8 (issuer key ID \(id))"))
    }

    /// Whatever GnuPG signs is judged here as GnuPG judges it.
    @Test(arguments: ["rsa2048", "rsa3072", "ed25519", "nistp256", "nistp384"])
    func verifiesWhatGnuPGSigns(_ algorithm: String) throws {
        let gpg = try GnuPG()
        try gpg.run(["--quick-generate-key", "Q <q@x>", algorithm, "sign,cert", "never"])
        let certificate = try gpg.certificate("q@x")
        let file = try gpg.folder.write("file", Self.text)
        var changed = Self.text
        changed[0] ^= 0x20
        for digest in ["SHA256", "SHA384", "SHA512"] where algorithm != "nistp384" || digest != "SHA256" {
            for mode in [[], ["--textmode"], ["--armor"]] {
                let bytes = try gpg.run(
                    ["--digest-algo", digest, "--detach-sign", "--output", "-"] + mode + [file]
                ).stdout
                let signature = try #require(try OpenPGPSignature.all(in: bytes.span).first)
                #expect(signature.type == (mode == ["--textmode"] ? 1 : 0))
                let verdict = try certificate.verdict(
                    on: signature, content: Self.text, at: TestKeys.now + 3600)
                #expect(verdict.isValid, "\(digest) \(mode) \(verdict)")
                let bad = try certificate.verdict(
                    on: signature, content: changed.span, at: TestKeys.now + 3600)
                #expect(bad.refusal == .mismatch)
            }
        }
        if algorithm.hasPrefix("rsa") {
            let weak = try gpg.run([
                "--digest-algo", "SHA1", "--allow-weak-digest-algos", "--detach-sign", "--output", "-", file,
            ]).stdout
            let signature = try OpenPGPSignature(weak.span)
            let verdict = try certificate.verdict(
                on: signature, content: Self.text, at: TestKeys.now + 3600)
            #expect(verdict.refusal == .weakDigest)
        }
    }

    // MARK: Midstates

    /// Content that was hashed elsewhere gives a signature that any verifier takes for an ordinary one.
    @Test(arguments: [KeyAlgorithm.rsa2048, .ed25519], [DigestAlgorithm.sha256, .sha384, .sha512])
    func midstatesAreSigned(_ key: KeyAlgorithm, _ digest: DigestAlgorithm) throws {
        let owner = try TestOwner(key)
        for count in [128, 1_000, 4_096] {
            let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            var running = RunningDigest(digest)
            running.update(content.span)
            let encoded = try running.midstate().encoded
            let midstate = try Midstate(decoding: encoded.span, minimumBlocks: 1)
            let draft = try OpenPGPSignatureDraft(
                resuming: midstate, signer: owner.signer(), created: TestKeys.now)
            #expect(draft.contentDigest == Digest(hashing: content, with: digest))
            let packet = try draft.signed(by: TestKeys.handle(key, digest))
            for verifier in Verifier.allCases {
                #expect(try verifier.accepts(packet, content, owner.certificate))
            }
            // RSA and EdDSA give one signature for one input, whatever way it came.
            #expect(packet == (try owner.sign(content, digest)))
        }
    }

    /// The type is 0x00 or 0x01 and the trailer is ours, whatever comes in on the data path.
    @Test func noInputYieldsAnotherType() throws {
        var random = Trials.generator("signature types")
        let owner = try TestOwner(.ed25519)
        let handle = try TestKeys.handle(.ed25519)
        for _ in 0..<Trials.count(300, full: 20_000) {
            let document: OpenPGPSignatureDraft.Document = Bool.random(using: &random) ? .binary : .text
            let digest = try #require(
                [DigestAlgorithm.sha256, .sha384, .sha512].randomElement(using: &random))
            let time = Int64.random(in: TestOwner.created...TestKeys.now, using: &random)
            let draft: OpenPGPSignatureDraft
            var content = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // What a client would send to be given a subkey: the bytes of a binding and of its trailer.
            if Bool.random(using: &random) {
                let key = owner.certificate.primary.key
                let area = try UnsignedPacket(
                    SignatureType.subkeyBinding, key, created: 1, after: RunningDigest(digest)
                ).prefix
                content = key.hashed + key.hashed + OpenPGPSignature.suffix(area)
            }
            if Bool.random(using: &random) {
                content = content.map { $0 == 0x0d ? 0x20 : $0 }
                draft = try OpenPGPSignatureDraft(
                    document, content: content.span, digest: digest, signer: owner.signer(at: time),
                    created: time)
            } else {
                // Any chaining words at all, with a count that fits.
                var forged = try Self.midstate(content, digest).encoded
                let width = digest == .sha256 ? 32 : 64
                if content.count >= digest.blockCount {
                    for place in 2..<2 + width { forged[place] = UInt8.random(in: 0...255, using: &random) }
                }
                draft = try OpenPGPSignatureDraft(
                    document, resuming: Midstate(decoding: forged.span), signer: owner.signer(at: time),
                    created: time)
            }
            let packet = try draft.signed(by: handle)
            let read = try OpenPGPSignature(packet.span)
            #expect(read.version == 4 && read.type == document.rawValue && read.isOverDocument)
            #expect(read.created == time && read.issuerFingerprint == owner.certificate.fingerprint)
            // The trailer that was hashed last begins with the version, this type and our own subpackets.
            let prefix = draft.packet.prefix
            #expect(read.suffix == prefix + [4, 0xff, 0, 0, 0, UInt8(prefix.count)])
            #expect(prefix[0] == 4 && prefix[1] == document.rawValue && prefix.count == 35)
            // It holds for nothing that is over a key.
            var running = RunningDigest(digest)
            running.update((owner.certificate.primary.key.hashed + owner.certificate.primary.key.hashed))
            #expect(try read.isMade(by: owner.certificate.primary.key, after: running) == false)
        }
    }

    static func midstate(_ content: [UInt8], _ digest: DigestAlgorithm) throws -> Midstate {
        var running = RunningDigest(digest)
        running.update(content.span)
        return try running.midstate()
    }

    // MARK: Numbers

    /// Numbers that begin with zeros are written without them, and others read them.
    @Test(arguments: [KeyAlgorithm.rsa2048, .p256, .ed25519])
    func shortNumbers(_ key: KeyAlgorithm) throws {
        let owner = try TestOwner(key)
        let width = key.family == .rsa ? 256 : 32
        var found = 0
        for number in 0..<20_000 where found < 2 {
            let content = Array("\(number)".utf8)
            let packet = try owner.sign(content, .sha256)
            let numbers = try #require(try OpenPGPSignature(packet.span).numbers)
            guard numbers.contains(where: { $0.count < width }) else { continue }
            found += 1
            for verifier in Verifier.allCases {
                #expect(try verifier.accepts(packet, content, owner.certificate))
            }
            let read = try OpenPGPSignature(packet.span)
            #expect(
                try owner.certificate.verdict(on: read, content: content.span, at: TestKeys.now).isValid)
        }
        #expect(found == 2)
    }

    // MARK: Refusals

    @Test func draftsKeepToTheKey() throws {
        let owner = try TestOwner(.p384, expires: TestKeys.now + 10)
        let signer = try owner.signer()
        func draft(_ digest: DigestAlgorithm, at time: Int64) throws -> OpenPGPSignatureDraft {
            try OpenPGPSignatureDraft(
                content: Self.text, digest: digest, signer: signer, created: time)
        }
        for time in [TestOwner.created - 1, TestKeys.now + 10, -1, 1 << 32, .max, .min] {
            #expect(CertificateDraftTests.code { try draft(.sha384, at: time) } == .draftRefused)
        }
        for digest in [DigestAlgorithm.weakMD5, .weakSHA1, .sha224, .sha256] {
            #expect(CertificateDraftTests.code { try draft(digest, at: TestKeys.now) } == .draftRefused)
        }
        let good = try draft(.sha384, at: TestKeys.now)
        #expect(good.algorithm == .ecdsa(.sha384))
        #expect(try good.signed(by: TestKeys.handle(.p384, .sha384)).isEmpty == false)
        for handle in [
            try TestKeys.handle(.p384, .sha512), try TestKeys.handle(PrivateKey.generate(.p384), .sha384),
        ] {
            #expect(CertificateDraftTests.code { try good.signed(by: handle) } == .signerMismatch)
        }
    }

    /// Here `~` stands for a carriage return and `/` for a line feed.
    @Test(arguments: ["a~b", "a~", "~~/", "a~/~b/"])
    func loneReturnsAreRefused(_ text: String) throws {
        let owner = try TestOwner(.ed25519)
        let content = Array(text.replacing("~", with: "\r").replacing("/", with: "\n").utf8)
        #expect(CertificateDraftTests.code { try owner.sign(content, .sha256, .text) } == .draftRefused)
        #expect(try owner.sign(content, .sha256).isEmpty == false)
    }

    /// Text gives one digest however it is cut.
    @Test func canonicalTextInPieces() throws {
        let text = Array("a\r\nb\n\n\r\nc".utf8)
        let whole = Array("a\r\nb\r\n\r\n\r\nc".utf8)
        for cut in 0...text.count {
            var canonical = CanonicalText(.sha256)
            try canonical.update(Array(text[..<cut]))
            try canonical.update(Array(text[cut...]))
            #expect(try canonical.finish().finish() == Digest(hashing: whole, with: .sha256))
        }
    }
}
