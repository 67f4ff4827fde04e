// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
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
    FuzzTarget("module-signature") { input in
        guard let signature = try? ModuleSignature(input.span) else { return }
        guard signature.encoded == input else { throw BrokenPromise("two encodings of one signature") }
        guard try !signature.verdict(content: input.span, signers: []).isValid else {
            throw BrokenPromise("valid without a signer")
        }
    },
]
