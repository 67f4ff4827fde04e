// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import Testing

@Suite struct KeyRecordTests {
    @Test(arguments: [
        "kern", "kernel-modules", "builders@farm.example:my key", "12345", "ключи",
        String(repeating: "a", count: 255), "schl\u{fc}ssel", "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
    ])
    func namesThatAreTaken(_ text: String) throws {
        #expect(try KeyName(text).text == text)
    }

    /// Equal to the language, and other bytes in the database.
    @Test(arguments: [
        ("a letter and a mark", "schlu\u{308}ssel"), ("marks in another order", "keyq\u{307}\u{323}"),
        ("the sign of Kelvin", "key-\u{212a}"), ("the sign of Angstrom", "key-\u{212b}"),
        ("syllables in parts", "key-\u{1112}\u{1161}"), ("an excluded composition", "key-\u{958}"),
        ("in the owner", "u\u{308}ber:my-key"), ("a mark behind the colon", "owner:\u{301}name"),
        ("a mark in front", "\u{301}name"),
    ])
    func namesThatWouldLookLikeOthers(_ what: String, _ text: String) {
        #expect(throws: KeyringError.self, "\(what)") { try KeyName(text) }
    }

    @Test(arguments: [
        ("too short", "abc"), ("empty", ""), ("no own name", "owner:"), ("no owner", ":own-name"),
        ("two colons", "a:b:cdef"), ("space in front", " kernel"), ("space behind", "kernel "),
        ("line feed", "kern\nel"), ("tab", "kern\tel"), ("escape", "kern\u{1b}[31mel"),
        ("turned round", "kern\u{202e}el"), ("an id", "c0ffee00-0000-4000-8000-000000000000"),
        ("too long", String(repeating: "a", count: 256)),
    ])
    func namesThatAreRefused(_ what: String, _ text: String) {
        #expect(throws: KeyringError.self, "\(what)") { try KeyName(text) }
    }

    @Test func ownerOfAPrivateName() throws {
        #expect(try KeyName("me@farm:my-key").owner == "me@farm")
        #expect(try KeyName("my-key").owner == nil)
    }

    struct Fault: Sendable {
        var name: String
        var scheme: SigningScheme = .module
        var purpose: KeyPurpose = .signing
        var algorithm: KeyAlgorithm = .p256
        var version: UInt32 = 1
        var fingerprint: Int = 32
        var keyName = "kernel-modules"
        var summary = ""
        var certificate = 0
        var spoilsFingerprint = false
    }

    @Test(arguments: [
        Fault(name: "version 0", version: 0),
        Fault(name: "an authority that signs files", scheme: .ca),
        Fault(name: "a module key that certifies", purpose: .certifying),
        Fault(name: "another algorithm", algorithm: .p384),
        Fault(name: "an algorithm that the scheme does not take", scheme: .authenticode),
        Fault(name: "a short fingerprint", fingerprint: 20),
        Fault(name: "an OpenPGP key with a long fingerprint", scheme: .openpgp),
        Fault(name: "another key's fingerprint", spoilsFingerprint: true),
        Fault(name: "a name with an owner on a public key", keyName: "me:kernel"),
        Fault(name: "a long description", summary: String(repeating: "a", count: 201)),
        Fault(name: "a huge certificate", certificate: KeyRecord.largestCertificate + 1),
    ])
    func recordsThatAreRefused(_ fault: Fault) throws {
        let spki = try Samples.p256.get().publicKey.spki()
        var fingerprint = Array(Digest(hashing: spki.span, with: .sha256).bytes.prefix(fault.fingerprint))
        if fault.spoilsFingerprint { fingerprint[3] ^= 1 }
        #expect(throws: KeyringError.self, "\(fault.name)") {
            try KeyRecord(
                id: .random(), scheme: fault.scheme, purpose: fault.purpose, algorithm: fault.algorithm,
                version: fault.version, publicKey: spki, fingerprint: fingerprint, created: Samples.now,
                name: KeyName(fault.keyName), summary: fault.summary, state: .disabled, expires: nil,
                certificate: [UInt8](repeating: 0, count: fault.certificate))
        }
    }

    @Test func ids() throws {
        let id = try KeyID.random()
        #expect(KeyID(id.description) == id)
        #expect(try KeyID(id.bytes.span) == id)
        #expect(KeyID("nonsense") == nil)
    }

    @Test func moments() {
        #expect(Moment(microseconds: -1).seconds == -1)
        #expect(Moment(microseconds: 1_999_999).seconds == 1)
        #expect(Moment(seconds: 5) + .milliseconds(1) == Moment(microseconds: 5_001_000))
        #expect(Moment(seconds: 5) - Moment(seconds: 3) == .seconds(2))
        #expect(Moment(microseconds: .max) + .seconds(1) == Moment(microseconds: .max))
        #expect(Moment(microseconds: .min) + .seconds(-1) == Moment(microseconds: .min))
        #expect(Moment(seconds: 0) + .seconds(Int64.max) == Moment(microseconds: .max))
    }
}
