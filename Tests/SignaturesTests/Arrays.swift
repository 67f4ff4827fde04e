// SPDX-License-Identifier: Apache-2.0

import Cryptography

@testable import Signatures

// The compiler does not take the span of an array that has no name.

extension OpenPGPSignature {
    init(_ bytes: [UInt8]) throws { try self.init(bytes.span) }
}

extension OpenPGPCertificate {
    init(_ bytes: [UInt8]) throws { try self.init(bytes.span) }
}

extension ModuleSignature {
    init(_ bytes: [UInt8]) throws { try self.init(bytes.span) }

    func verdict(content: [UInt8], signers: [Certificate]) throws -> SignatureVerdict {
        try verdict(content: content.span, signers: signers)
    }
}

extension ModuleSignatureDraft {
    init(
        content: [UInt8], digest: DigestAlgorithm, signer: Certificate, naming: Naming = .issuerAndSerial
    ) throws {
        try self.init(content: content.span, digest: digest, signer: signer, naming: naming)
    }
}

extension RunningDigest {
    mutating func update(_ bytes: [UInt8]) { update(bytes.span) }
}

extension CanonicalText {
    mutating func update(_ bytes: [UInt8]) throws { try update(bytes.span) }
}

extension Digest {
    init(hashing bytes: [UInt8], with algorithm: DigestAlgorithm) {
        self.init(hashing: bytes.span, with: algorithm)
    }
}

extension OpenPGPSignatureDraft {
    init(
        _ document: Document = .binary, content: [UInt8], digest: DigestAlgorithm, signer: OpenPGPSigner,
        created: Int64
    ) throws {
        try self.init(document, content: content.span, digest: digest, signer: signer, created: created)
    }
}

extension OpenPGPCertificate {
    func verdict(on signature: OpenPGPSignature, content: [UInt8], at time: Int64) throws -> SignatureVerdict
    {
        try verdict(on: signature, content: content.span, at: time)
    }
}

extension CMSSignature {
    init(_ bytes: [UInt8]) throws { try self.init(bytes.span) }
}

extension AuthenticodeSignature {
    init(_ bytes: [UInt8]) throws { try self.init(bytes.span) }
}

extension SignedData {
    init(_ bytes: [UInt8], of name: String) throws { try self.init(bytes.span, of: name) }
}
