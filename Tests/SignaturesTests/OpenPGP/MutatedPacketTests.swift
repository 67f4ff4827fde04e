// SPDX-License-Identifier: Apache-2.0

import Cryptography
import TestSupport
import Testing

@testable import Signatures

/// Malformed signatures and certificates, made along the grammar: whatever is good here is good for gpgv and sqv too,
/// when nothing stands in unhashed areas that they stumble over.
@Suite struct MutatedPacketTests {
    static let content = Array("some content".utf8)

    /// Of several signatures each has to hold, as for gpgv.
    static func isGood(_ signatures: [UInt8], _ certificate: [UInt8]) -> Bool {
        guard let read = try? OpenPGPSignature.all(in: signatures.span), !read.isEmpty,
            let owner = try? OpenPGPCertificate(certificate)
        else {
            return false
        }
        return read.allSatisfy {
            let verdict = try? owner.verdict(on: $0, content: content, at: TestKeys.now)
            return verdict?.isValid == true
        }
    }

    static func othersAgree(_ signature: [UInt8], _ certificate: [UInt8]) throws -> Bool {
        let folder = try TemporaryFolder()
        let keys = try folder.write("keys.gpg", certificate)
        let (file, detached) = (try folder.write("file", content), try folder.write("file.sig", signature))
        return try ["gpgv", "sqv"].allSatisfy { program in
            try Command.run([program, "--keyring", keys, detached, file]).status == 0
        }
    }

    /// A packet that is called a marker and holds something else: GnuPG reads no further.
    @Test func markers() throws {
        let owner = try TestOwner(.ed25519)
        let signature = try owner.sign(Self.content, .sha512)
        for (text, isTaken) in [("PGP", true), ("PGq", false), ("", false), ("PGPP", false)] {
            let marker = OpenPGPPacket(tag: PacketTag.marker, body: Array(text.utf8)).encoded
            let certificate = owner.certificate.encoded + marker
            #expect(Self.isGood(signature, certificate) == isTaken, "\(text)")
            let file = marker + signature
            #expect(((try? OpenPGPSignature.all(in: file.span)) != nil) == isTaken)
            #expect(try Self.othersAgree(signature, certificate) == isTaken, "\(text)")
        }
    }

    @Test(arguments: [(KeyAlgorithm.rsa2048, KeyAlgorithm?.none), (.ed25519, .p256), (.p384, .ed25519)])
    func signatures(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        var mutator = PacketMutator(random: Trials.generator("signatures \(algorithm.rawValue)"))
        let owner = try TestOwner(algorithm, subkey: subkey)
        let certificate = owner.certificate.encoded
        let good = try owner.sign(Self.content, .sha512)
        #expect(try Self.isGood(good, certificate) && Self.othersAgree(good, certificate))
        var taken = 0
        for number in 0..<Trials.count(150, full: 3_400) {
            let bad = mutator.changed(good)
            guard bad != good, Self.isGood(bad, certificate) else { continue }
            taken += 1
            #expect(
                try Self.othersAgree(PacketMutator.withPlainHints(bad), certificate),
                "number \(number): \(bad)")
        }
        // The unhashed area and the form of the header prove nothing, so some are good.
        #expect(taken > 0)
    }

    @Test(arguments: [(KeyAlgorithm.rsa2048, KeyAlgorithm?.none), (.ed25519, .p256), (.p384, .ed25519)])
    func certificates(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        var mutator = PacketMutator(random: Trials.generator("certificates \(algorithm.rawValue)"))
        let owner = try TestOwner(algorithm, subkey: subkey)
        let signature = try owner.sign(Self.content, .sha512)
        var taken = 0
        for number in 0..<Trials.count(150, full: 3_400) {
            let bad = mutator.changed(owner.certificate.encoded)
            guard bad != owner.certificate.encoded, Self.isGood(signature, bad) else { continue }
            taken += 1
            #expect(
                try Self.othersAgree(signature, PacketMutator.withPlainHints(bad)), "number \(number): \(bad)"
            )
        }
        #expect(taken > 0)
    }
}
