// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics

// The names of algorithms in X.509 and CMS.
//
// AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
//
// RSA has NULL as its parameters, ECDSA and Ed25519 have none.
extension SignatureAlgorithm {
    /// What X.509 names it; `nil` for what is not written here.
    var identifier: OID? {
        switch self {
        case .rsaPKCS1(.sha256): "1.2.840.113549.1.1.11"
        case .rsaPKCS1(.sha384): "1.2.840.113549.1.1.12"
        case .rsaPKCS1(.sha512): "1.2.840.113549.1.1.13"
        case .ecdsa(.sha256): "1.2.840.10045.4.3.2"
        case .ecdsa(.sha384): "1.2.840.10045.4.3.3"
        case .ecdsa(.sha512): "1.2.840.10045.4.3.4"
        case .ed25519: "1.3.101.112"
        default: nil
        }
    }

    func writeIdentifier(to writer: inout DERWriter) throws(SignaturesError) {
        guard let identifier else {
            throw SignaturesError(.draftRefused, "certificates are not signed with this algorithm or digest")
        }
        writer.sequence { writer in
            writer.oid(identifier)
            if family == .rsa { writer.null() }
        }
    }
}

/// A signed X.509 structure: `SEQUENCE { tbs, AlgorithmIdentifier, signature BIT STRING }`.
enum SignedStructure {
    static func make(tbs: [UInt8], by handle: SigningHandle) throws -> [UInt8] {
        let signature: [UInt8]
        if let digest = handle.algorithm.digest {
            signature = try handle.signAndVerify(Digest(hashing: tbs.span, with: digest))
        } else {
            signature = try handle.signAndVerify(message: tbs.span)
        }
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.encoded(tbs)
            try handle.algorithm.writeIdentifier(to: &writer)
            writer.bitStringHolding { $0.encoded(signature) }
        }
        return writer.bytes
    }
}

extension PublicKey {
    /// SHA-1 of the bits of the public key (RFC 5280, 4.2.1.2, method 1). It names the key and proves nothing.
    func identifier() throws -> [UInt8] {
        let encoded = try spki()
        var reader = DERReader(encoded.span, DER())
        let bits = try reader.sequence { reader in
            try reader.elementRange()
            return try reader.bitString()
        }
        let bytes = bits.bytes
        return Digest(hashing: bytes.span, with: .weakSHA1).bytes
    }
}
