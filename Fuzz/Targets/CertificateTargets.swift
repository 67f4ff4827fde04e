// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Secrets

let certificateTargets: [FuzzTarget] = [
    FuzzTarget("certificate") { input in
        guard let certificate = try? Certificate(der: input.span) else { return }
        guard certificate.der == input else { throw BrokenPromise("a certificate of other bytes") }
        guard try Certificate.pem(certificate.pem) == [certificate] else {
            throw BrokenPromise("another certificate in PEM")
        }
        let texts = [certificate.subject.description] + certificate.subjectAlternativeNames.map(\.description)
        for text in texts where text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            throw BrokenPromise("a control character in the text of a name")
        }
        // The library reads the same bytes; whatever it thinks of them, it may not crash.
        guard let key = try? certificate.publicKey(), let time = ASN1Time(year: 2025, month: 1, day: 1) else {
            return
        }
        guard try key.spki() == certificate.publicKeyInfo else { throw BrokenPromise("another public key") }
        let policy = ChainPolicy(roots: [certificate], purpose: .any, time: time)
        _ = try? UnverifiedChain(certificate, intermediates: [certificate]).validated(by: policy)
    },
    FuzzTarget("revocation-list") { input in
        guard let list = try? CertificateRevocationList(der: input.span) else { return }
        guard list.der == input else { throw BrokenPromise("a list of other bytes") }
        for entry in list.entries where list.entry(serialNumber: entry.serialNumber) == nil {
            throw BrokenPromise("an entry that is not found")
        }
    },
    FuzzTarget("spki") { input in
        guard let components = try? PublicKeyComponents(spki: input.span) else { return }
        guard components.spki == input else { throw BrokenPromise("two encodings of one public key") }
        let flaws = try components.flaws()
        guard flaws.isEmpty else { return }
        guard try PublicKey(components).components() == components else {
            throw BrokenPromise("another key from the same numbers")
        }
    },
    FuzzTarget("private-key") { input in
        let file = try SecretBytes(capacity: input.count) { output in
            for byte in input { output.append(byte) }
        }
        let passphrase = try SecretBytes(capacity: 6) { output in
            for byte in "secret".utf8 { output.append(byte) }
        }
        let open = try? KeyFile(file)
        let encrypted = try? KeyFile(file, passphrase: passphrase)
        guard open == nil || encrypted == nil else { throw BrokenPromise("encrypted and open at once") }
        guard let key = open?.key ?? encrypted?.key else { return }
        let written = try key.pkcs8()
        let again = try PrivateKey.unsealed(pkcs8: written.bytes)
        guard try again.publicKey.spki() == key.publicKey.spki() else {
            throw BrokenPromise("sealing changed the key")
        }
    },
]
