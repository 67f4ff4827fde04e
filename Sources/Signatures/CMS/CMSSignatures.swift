// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics

/// The CMS signatures of one file by several signers (`.p7s`): `SignedData` with a `SignerInfo` each, and the certificates
/// and revocation lists of all. The grammar stands at `SignedData`.
///
/// What a signer made is kept byte for byte, unsigned attributes too; no signature covers another.
public struct CMSSignatures: Hashable, Sendable {
    /// One for each signer, in the file's order, with all certificates and lists.
    public let signatures: [CMSSignature]
    public let encoded: [UInt8]
    private let parts: Parts

    /// More signers are refused.
    public static let mostSigners = 16

    public init(_ bytes: Span<UInt8>) throws {
        guard bytes.count <= CMSSignature.largest else {
            throw SignaturesError(.signatureMalformed, "CMS signatures of \(bytes.count) bytes")
        }
        let parts: Parts
        do {
            parts = try Parts(bytes)
        } catch let error as ASN1Error {
            throw SignaturesError(.signatureMalformed, "a CMS signature: \(error)")
        }
        let encoded = Array(copying: bytes)
        self.parts = parts
        self.encoded = encoded
        signatures = try parts.signers.map { signer in
            // A lone one is what it is.
            let single = parts.signers.count == 1 ? encoded : parts.having([signer]).encoded
            return try CMSSignature(single.span)
        }
    }

    /// With one more, in the place of one by the same signer. It has to be about the same content, as far as that can be
    /// seen: where the digests are of one algorithm, they are the same.
    public func adding(_ signature: CMSSignature) throws -> CMSSignatures {
        let new = try Parts(signature.encoded.span)
        var kept: [Parts.Signer] = []
        for (signer, present) in zip(parts.signers, signatures) where present.signer != signature.signer {
            guard
                present.contentDigest.algorithm != signature.contentDigest.algorithm
                    || present.contentDigest == signature.contentDigest
            else {
                throw SignaturesError(
                    .draftRefused, "a CMS signature that is there is of another content")
            }
            kept.append(signer)
        }
        var joined = parts.having(kept + new.signers)
        joined.version = max(parts.version, new.version)
        joined.certificates += new.certificates.filter { !parts.certificates.contains($0) }
        joined.revocationLists += new.revocationLists.filter { !parts.revocationLists.contains($0) }
        let encoded = joined.encoded
        return try CMSSignatures(encoded.span)
    }

    /// DER of each element.
    private struct Parts: Hashable, Sendable {
        struct Signer: Hashable, Sendable {
            var digest: DigestAlgorithm
            var hasNull: Bool
            var info: [UInt8]
        }

        var version: Int
        var certificates: [[UInt8]]
        var revocationLists: [[UInt8]]
        var signers: [Signer]

        init(_ bytes: Span<UInt8>) throws {
            var reader = DERReader(bytes, DER())
            self = try reader.sequence { reader in
                try CMSAlgorithms.expect(CMSAlgorithms.signedData, &reader)
                return try reader.explicit(0) { reader in
                    try reader.sequence { try Parts(reading: &$0) }
                }
            }
            try reader.expectEnd()
        }

        private init(reading reader: inout DERReader) throws {
            let start = reader.offset
            version = try reader.integer()
            let digests = try reader.setOf(limit: 8) { try CMSAlgorithms.readDigest(&$0) }
            try reader.sequence { try CMSAlgorithms.expect(CMSAlgorithms.data, &$0) }
            certificates = try SignedData.elements(.constructed(0), &reader)
            revocationLists = try SignedData.elements(.constructed(1), &reader)
            signers = try reader.setOf(limit: CMSSignatures.mostSigners) { reader in
                let (digest, range) = try reader.located { reader in
                    try reader.sequence { reader in
                        _ = try SignerName.read(&reader)
                        let digest = try CMSAlgorithms.readDigest(&reader)
                        while !reader.isAtEnd { try reader.elementRange() }
                        return digest
                    }
                }
                return Signer(digest: digest.0, hasNull: digest.hasNull, info: try reader.copy(range))
            }
            guard !signers.isEmpty, 1...5 ~= version,
                Set(signers.map(\.digest)) == Set(digests.map(\.0))
            else { throw ASN1Error(.badValue, at: start) }
        }

        /// The same with other signers.
        func having(_ signers: [Signer]) -> Parts {
            var parts = self
            parts.signers = signers
            return parts
        }

        var encoded: [UInt8] {
            var writer = DERWriter()
            writer.sequence { writer in
                writer.oid(CMSAlgorithms.signedData)
                writer.explicit(0) { $0.sequence { write(to: &$0) } }
            }
            return writer.bytes
        }

        private func write(to writer: inout DERWriter) {
            writer.integer(version)
            var digests: [DigestAlgorithm: Bool] = [:]
            for signer in signers { digests[signer.digest] = digests[signer.digest] ?? signer.hasNull }
            writer.setOf(digests) { CMSAlgorithms.write($1.key, hasNull: $1.value, to: &$0) }
            writer.sequence { $0.oid(CMSAlgorithms.data) }
            if !certificates.isEmpty { writer.setOf(certificates, .constructed(0)) { $0.encoded($1) } }
            if !revocationLists.isEmpty { writer.setOf(revocationLists, .constructed(1)) { $0.encoded($1) } }
            writer.setOf(signers) { $0.encoded($1.info) }
        }
    }
}
