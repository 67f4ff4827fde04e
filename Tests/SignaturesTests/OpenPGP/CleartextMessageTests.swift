// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct CleartextMessageTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        var name: String
        var text: String
        /// Lines joined by CR LF, without white space at their ends.
        var hashed: String
        var testDescription: String { name }
    }

    static let samples = [
        Sample(name: "lines", text: "one\ntwo\n", hashed: "one\r\ntwo"),
        Sample(name: "no end", text: "one\ntwo", hashed: "one\r\ntwo"),
        Sample(name: "CR LF", text: "one\r\ntwo\r\n", hashed: "one\r\ntwo"),
        Sample(name: "white space at ends", text: "one \t\n\t two\t \r\n", hashed: "one\r\n\t two"),
        Sample(name: "lines of white space", text: " \n\t\nx\n  \n", hashed: "\r\n\r\nx\r\n"),
        Sample(name: "empty lines", text: "\n\none\n\n\n", hashed: "\r\n\r\none\r\n\r\n"),
        Sample(name: "empty line without end behind it", text: "one\n\n ", hashed: "one\r\n\r\n"),
        Sample(name: "an empty line", text: "\n", hashed: ""),
        Sample(name: "nothing", text: "", hashed: ""),
        Sample(
            name: "dashes", text: "-----BEGIN PGP SIGNATURE-----\n- x\n-\n--y\n",
            hashed: "-----BEGIN PGP SIGNATURE-----\r\n- x\r\n-\r\n--y"),
        Sample(name: "From", text: "From me\nFromage\n>From\n", hashed: "From me\r\nFromage\r\n>From"),
        Sample(name: "another's words", text: "Hash: MD5\n\nöß 🔑\n", hashed: "Hash: MD5\r\n\r\nöß 🔑"),
        Sample(
            name: "the longest line", text: String(repeating: "x", count: 19_900) + "\n",
            hashed: String(repeating: "x", count: 19_900)),
    ]

    static func message(
        _ text: String, _ owners: [TestOwner], _ digest: DigestAlgorithm = .sha512
    ) throws -> CleartextMessage {
        let bytes = Array(text.utf8)
        let signatures = try owners.map { owner in
            let draft = try OpenPGPSignatureDraft(
                cleartext: bytes.span, digest: digest, signer: owner.signer(), created: TestKeys.now)
            return try OpenPGPSignature(draft.signed(by: TestKeys.handle(owner.signingKey, digest)))
        }
        return try CleartextMessage(bytes, signatures: signatures)
    }

    /// What gpgv, sqop and we think of a message.
    static func verdicts(_ message: [UInt8], _ owner: TestOwner) throws -> [Bool] {
        let folder = try TemporaryFolder()
        let keys = try folder.write("keys.gpg", owner.certificate.encoded)
        let file = try folder.write("message", message)
        let gpgv = try Command.run(["gpgv", "--keyring", keys, file])
        let sqop = try Command.run(["sqop", "inline-verify", keys], input: message)
        guard let read = try? CleartextMessage(message.span) else {
            return [gpgv.status == 0, sqop.status == 0, false]
        }
        let ours = try read.signatures.allSatisfy {
            try owner.certificate.verdict(on: $0, cleartext: read.text.span, at: TestKeys.now).isValid
        }
        return [gpgv.status == 0, sqop.status == 0, ours]
    }

    // MARK: Foreign eyes

    @Test(.needs(.program("sqop")), arguments: samples)
    func othersAccept(_ sample: Sample) throws {
        let text = Array(sample.text.utf8)
        let hashed = Digest(hashing: Array(sample.hashed.utf8), with: .sha256)
        #expect(CleartextMessage.digest(of: text.span, .sha256)?.finish() == hashed)
        let owner = try TestOwner(.ed25519)
        let made = try Self.message(sample.text, [owner])
        let encoded = made.encoded
        #expect(try Self.verdicts(encoded, owner) == [true, true, true])
        let read = try CleartextMessage(encoded.span)
        #expect(read.text == (text.last == 0x0a ? text : text + [0x0a]))
        #expect(read.signatures == made.signatures)
        #expect(read.encoded == encoded)
        // It bears other line ends, and no other word.
        let mailed = String(decoding: encoded, as: UTF8.self).replacing("\r\n", with: "\n")
            .replacing("\n", with: "\r\n")
        #expect(try Self.verdicts(Array(mailed.utf8), owner) == [true, true, true])
        guard let place = encoded.firstIndex(of: UInt8(ascii: "o")), sample.name == "lines" else { return }
        var changed = encoded
        for at in [place, encoded.count / 3 * 2] {
            changed = encoded
            changed[at] ^= 1
            #expect(try Self.verdicts(changed, owner) == [false, false, false], "byte \(at)")
        }
    }

    @Test(
        .needs(.program("sqop")), arguments: [KeyAlgorithm.rsa2048, .p256, .p384],
        [DigestAlgorithm.sha384, .sha512])
    func eachAlgorithm(_ key: KeyAlgorithm, _ digest: DigestAlgorithm) throws {
        let owner = try TestOwner(key, subkey: key == .p384 ? .rsa3072 : nil)
        let encoded = try Self.message(Self.samples[3].text, [owner], digest).encoded
        #expect(try Self.verdicts(encoded, owner) == [true, true, true])
    }

    /// Around the same text GnuPG writes the same, and we take what it writes.
    @Test func gpgWritesTheSame() throws {
        let gpg = try GnuPG()
        try gpg.run(["--quick-generate-key", "C <c@x>", "ed25519", "sign,cert", "never"])
        let certificate = try gpg.certificate("c@x")
        for sample in Self.samples {
            let file = try gpg.folder.write("text", sample.text)
            let signed = try gpg.run(["--digest-algo", "SHA512", "--output", "-", "--clearsign", file]).stdout
            let read = try CleartextMessage(signed.span)
            let text = Array(sample.text.utf8)
            #expect(read.text == (text.last == 0x0a ? text : text + [0x0a]), "\(sample)")
            let verdict = try certificate.verdict(
                on: #require(read.signatures.first), cleartext: read.text.span, at: TestKeys.now + 3_600)
            #expect(verdict.isValid, "\(sample)")
            #expect(try CleartextMessage(text, signatures: read.signatures).encoded == signed, "\(sample)")
        }
    }

    @Test func severalSigners() throws {
        let owners = try [TestOwner(.ed25519), TestOwner(.rsa2048), TestOwner(.p256)]
        let one = try Self.message(Self.samples[3].text, owners)
        let two = try Self.message(Self.samples[3].text, [owners[0]], .sha256)
        let message = try CleartextMessage(one.text, signatures: one.signatures + two.signatures)
        let encoded = message.encoded
        #expect(String(decoding: encoded, as: UTF8.self).contains("\nHash: SHA512, SHA256\n\n"))
        #expect(try CleartextMessage(encoded.span) == message)
        let folder = try TemporaryFolder()
        let keys = try folder.write("keys.gpg", owners.flatMap(\.certificate.encoded))
        let output = try Command.check(["gpgv", "--keyring", keys, folder.write("message", encoded)])
        #expect(output.errorText.split(separator: "Good signature").count == 5)
        for (signature, owner) in zip(message.signatures, owners) {
            #expect(
                try owner.certificate.verdict(on: signature, cleartext: message.text.span, at: TestKeys.now)
                    .isValid)
        }
    }

    // MARK: Refusals

    /// Here `/` stands for a line feed, BEGIN for the first line with its Hash line, ARMOR for a good armor.
    @Test(arguments: [
        ("whole", "BEGIN//one/ARMOR", true), ("no Hash", "FIRST//one/ARMOR", true),
        ("two Hash lines", "BEGIN/Hash: SHA1//one/ARMOR", true),
        ("a Hash line of another function", "FIRST/Hash: SHA256//one/ARMOR", false),
        ("a Hash line of no function", "FIRST/Hash: SHA-512//one/ARMOR", false),
        ("empty lines behind", "BEGIN//one/ARMOR/ //", true),
        ("words before", "hello/BEGIN//one/ARMOR", false), ("words behind", "BEGIN//one/ARMOR/hello/", false),
        ("a second message", "BEGIN//one/ARMOR/BEGIN//one/ARMOR", false),
        ("a second signature", "BEGIN//one/ARMOR/ARMOR", false),
        ("another header", "BEGIN/Comment: x//one/ARMOR", false),
        ("not dash-escaped", "BEGIN/NotDashEscaped: GnuPG//one/ARMOR", false),
        ("a bare dash", "BEGIN//one/-two/ARMOR", false),
        ("a boundary in the text", "BEGIN//-----BEGIN X-----/ARMOR", false),
        ("no text line at all", "BEGIN/ARMOR", false), ("no signature", "BEGIN//one/", false),
        ("no end", "BEGIN//one/-----BEGIN PGP SIGNATURE-----//AAAA/", false),
        ("a head alone", "FIRST", false),
        ("more in the first line", "FIRST x//one/ARMOR", false), ("a zero", "BEGIN//o\0ne/ARMOR", false),
        ("a lone return", "BEGIN//o\rne/ARMOR", false), ("two returns", "BEGIN//one\r\r/ARMOR", false),
    ])
    func forms(_ name: String, _ form: String, _ isRead: Bool) throws {
        let owner = try TestOwner(.ed25519)
        let armor = OpenPGPArmor.signature.encode(
            try Self.message("one\n", [owner]).signatures.flatMap(\.encoded))
        let head = "-----BEGIN PGP SIGNED MESSAGE-----"
        let text = form.replacing("/", with: "\n").replacing("BEGIN\n", with: head + "\nHash: SHA512\n")
            .replacing("FIRST", with: head).replacing("ARMOR", with: armor.dropLast())
        let bytes = Array(text.utf8)
        let message = try? CleartextMessage(bytes.span)
        #expect((message != nil) == isRead, "\(text)")
        guard let message else { return }
        #expect(message.text == Array("one\n".utf8))
        #expect(try Self.verdicts(bytes, owner)[2])
    }

    @Test(arguments: [
        ("zero", "a\0b"), ("lone return", "a\rb\n"), ("return at the end", "ab\r"),
        ("two returns", "a\r\r\n"),
        ("a long line", String(repeating: "x", count: 19_901)),
        ("a message", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nx\n"),
    ])
    func noText(_ name: String, _ text: String) throws {
        let owner = try TestOwner(.ed25519)
        let bytes = Array(text.utf8)
        #expect(CleartextMessage.refusal(of: bytes.span) != nil)
        #expect(CertificateDraftTests.code { try Self.message(text, [owner]) } == .draftRefused)
    }

    /// A signature over bytes is none over text, though gpgv may not mind.
    @Test func typesCount() throws {
        let owner = try TestOwner(.ed25519)
        let text = Array("one".utf8)
        for (document, refusal) in [
            (
                OpenPGPSignatureDraft.Document.binary,
                SignatureVerdict.Refusal.wrongType as SignatureVerdict.Refusal?
            ),
            (.text, nil),
        ] {
            let signature = try OpenPGPSignature(owner.sign(text, .sha512, document))
            let verdict = try owner.certificate.verdict(on: signature, cleartext: text.span, at: TestKeys.now)
            #expect(verdict.refusal == refusal)
        }
        let other = try TestOwner(.rsa2048)
        let signature = try OpenPGPSignature(owner.sign(text, .sha512))
        let verdict = try other.certificate.verdict(on: signature, cleartext: text.span, at: TestKeys.now)
        #expect(verdict.refusal == .signerUnknown)
    }

    /// Whatever is written is read again, and what others accept of it with changed bytes is nothing else.
    @Test func changedBytes() throws {
        var random = Trials.generator("changed cleartext")
        let owner = try TestOwner(.ed25519)
        let encoded = try Self.message("Origin: Farm\nSuite: stable\n- a\n", [owner]).encoded
        let text = try CleartextMessage(encoded.span).text
        let hashed = CleartextMessage.digest(of: text.span, .sha512)?.finish()
        for _ in 0..<Trials.count(300, full: 20_000) {
            var bad = encoded
            let place = Int.random(in: 0..<bad.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bad[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 1: bad.remove(at: place)
            default:
                bad.insert(
                    try #require([0x2d, 0x0a, 0x20, 0x0d, 0x41].randomElement(using: &random)), at: place)
            }
            guard let read = try? CleartextMessage(bad.span), let signature = read.signatures.first else {
                continue
            }
            let verdict = try owner.certificate.verdict(
                on: signature, cleartext: read.text.span, at: TestKeys.now)
            if verdict.isValid {
                #expect(CleartextMessage.digest(of: read.text.span, .sha512)?.finish() == hashed)
                #expect(try Self.verdicts(bad, owner)[0], "\(String(decoding: bad, as: UTF8.self))")
            }
        }
    }
}
