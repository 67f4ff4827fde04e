// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Secrets
internal import Signatures

let signaturesTargets: [FuzzTarget] = [
    FuzzTarget("openpgp-certificate") { input in
        guard let all = try? OpenPGPCertificate.all(in: input.span) else { return }
        for certificate in all {
            guard try OpenPGPCertificate(certificate.encoded.span) == certificate else {
                throw BrokenPromise("another certificate from the same packets")
            }
            let text = Array(certificate.armored.utf8)
            guard try OpenPGPCertificate(text.span) == certificate else {
                throw BrokenPromise("another certificate from its armor")
            }
            guard certificate.fingerprint.count == 20, certificate.keyID.count == 8 else {
                throw BrokenPromise("a fingerprint of \(certificate.fingerprint.count) bytes")
            }
            for subkey in certificate.subkeys where subkey.maySign && !subkey.isBound {
                throw BrokenPromise("a subkey signs that is not bound")
            }
        }
    },
    FuzzTarget("openpgp-signature") { input in
        guard let all = try? OpenPGPSignature.all(in: input.span) else { return }
        for signature in all {
            let encoded = signature.encoded
            guard try OpenPGPSignature(encoded.span) == signature else {
                throw BrokenPromise("another signature from the same packet")
            }
            guard signature.isOverDocument == (signature.type < 2) else {
                throw BrokenPromise("a signature of the type \(signature.type) over a document")
            }
            guard !signature.verdictWithoutSigner.isValid else {
                throw BrokenPromise("valid without a signer")
            }
        }
    },
    // The passphrase of the corpus is "fuzz".
    FuzzTarget("openpgp-secret-key") { input in
        let phrase = Array("fuzz".utf8)
        let file = try SecretBytes(copying: input.span)
        let passphrase = try SecretBytes(copying: phrase.span)
        for isLocked in [true, false] {
            guard
                let keys = isLocked
                    ? try? OpenPGPSecretKeys(file, passphrase: passphrase) : try? OpenPGPSecretKeys(file)
            else { continue }
            let components = [keys.certificate.primary] + keys.certificate.subkeys
            let found = components.compactMap { try? keys.key($0.key) }
            guard !found.isEmpty,
                found.allSatisfy({ key in
                    components.contains { $0.key.publicKey == key.publicKey }
                })
            else { throw BrokenPromise("no private half, or one of another key") }
        }
    },
    FuzzTarget("cleartext-message") { input in
        guard let message = try? CleartextMessage(input.span) else { return }
        let encoded = message.encoded
        guard try CleartextMessage(encoded.span) == message else {
            throw BrokenPromise("another message from what was written")
        }
        guard CleartextMessage.digest(of: message.text.span, .sha256) != nil else {
            throw BrokenPromise("a text that is none")
        }
    },
    FuzzTarget("openpgp-armor") { input in
        for armor in OpenPGPArmor.allCases {
            guard let blocks = try? armor.decode(input.span) else { continue }
            for block in blocks {
                let text = armor.encode(block)
                guard try armor.decode(text.utf8Span.span) == [block] else {
                    throw BrokenPromise("another block from \(text)")
                }
            }
        }
    },
    FuzzTarget("cms-signature") { input in
        if let several = try? CMSSignatures(input.span) {
            for signature in several.signatures {
                // Refused where another signature is of another content.
                guard let again = try? several.adding(signature) else { continue }
                guard again.signatures.count == several.signatures.count else {
                    throw BrokenPromise("a signer is there twice")
                }
            }
        }
        guard let signature = try? CMSSignature(input.span) else { return }
        guard signature.encoded == input else { throw BrokenPromise("another signature from the same bytes") }
        let verdict = try signature.verdict(on: signature.contentDigest, by: SignerTrust(), at: 0)
        guard verdict.refusal == .signerUnknown else { throw BrokenPromise("\(verdict) without a signer") }
        // What is written of it is read again.
        guard try signature.bringing([]).contentDigest == signature.contentDigest else {
            throw BrokenPromise("another digest without revocation lists")
        }
    },
    FuzzTarget("authenticode-signature") { input in
        guard let signature = try? AuthenticodeSignature(input.span) else { return }
        let verdict = try signature.verdict(on: signature.imageDigest, by: SignerTrust(), at: 0)
        guard verdict.refusal == .signerUnknown else { throw BrokenPromise("\(verdict) without a signer") }
    },
    // Whatever is verified has an outline, and the same algorithms in it.
    FuzzTarget("cms-outline") { input in
        let outline = try? CMSOutline(input.span)
        if let outline, outline.parts.isEmpty || outline.parts.contains(where: { $0.digest.isEmpty }) {
            throw BrokenPromise("an outline of nothing")
        }
        let isModule = (try? ModuleSignature(input.span)) != nil
        guard isModule || (try? CMSSignature(input.span)) != nil else { return }
        guard let part = outline?.parts.first, part.hasAttributes != isModule, part.digest.hasPrefix("sha"),
            ["RSA", "ECDSA"].contains(part.algorithm)
        else { throw BrokenPromise("another outline than the signature has") }
    },
    FuzzTarget("indirect-data") { input in
        guard let data = try? IndirectData(reading: input) else { return }
        let encoded = IndirectData(data.digest).encoded
        guard try IndirectData(reading: encoded).digest == data.digest else {
            throw BrokenPromise("another digest from its own encoding")
        }
    },
    FuzzTarget("certificate-request") { input in
        guard let request = try? CertificateRequest(der: input.span) else { return }
        guard request.der == input, try CertificateRequest(pem: request.pem) == request else {
            throw BrokenPromise("another request from its own PEM")
        }
    },
    FuzzTarget("module-signature") { input in
        guard let signature = try? ModuleSignature(input.span) else { return }
        guard signature.encoded == input else { throw BrokenPromise("two encodings of one signature") }
        guard try !signature.verdict(content: input.span, signers: []).isValid else {
            throw BrokenPromise("valid without a signer")
        }
    },
]
