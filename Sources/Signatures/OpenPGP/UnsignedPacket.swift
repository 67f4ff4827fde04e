// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics

/// A version 4 signature packet that lacks the signature: the one place where packets are put together.
///
/// The hashed area begins with the issuer's fingerprint and the time; the issuer's key id, which old programs look for,
/// stands in the other one.
struct UnsignedPacket: Sendable {
    let key: OpenPGPKey
    let publicKey: PublicKey
    let algorithm: SignatureAlgorithm
    /// The packet up to the end of its hashed area.
    let prefix: [UInt8]
    let digest: Digest

    /// `running` has taken what stands before; `extra` holds further subpackets that are hashed.
    init(
        _ type: UInt8, _ key: OpenPGPKey, created: UInt32, after running: RunningDigest, extra: [UInt8] = []
    ) throws {
        guard let publicKey = key.publicKey, SigningScheme.openpgp.takes(publicKey.algorithm),
            let algorithm = OpenPGPSignature.algorithm(publicKey, running.algorithm)
        else { throw SignaturesError(.draftRefused, "an OpenPGP key that does not sign here") }
        guard SigningScheme.openpgp.takes(running.algorithm, with: publicKey.algorithm) else {
            throw SignaturesError(
                .draftRefused,
                "OpenPGP keys of the sort \(publicKey.algorithm.rawValue) do not sign over \(running.algorithm.rawValue)"
            )
        }
        var area = ByteWriter(reserving: 29 + extra.count)
        SignatureFields.write(SignatureFields.Number.issuerFingerprint, [4] + key.fingerprint, to: &area)
        SignatureFields.write(SignatureFields.Number.created, SignatureFields.octets(created), to: &area)
        area.write(extra)
        guard let length = UInt16(exactly: area.count) else {
            throw SignaturesError(.draftRefused, "subpackets of \(area.count) bytes")
        }
        var writer = ByteWriter(reserving: 6 + area.count)
        writer.write([4, type, key.algorithmNumber, running.algorithm.openPGPNumber])
        writer.write(length)
        writer.write(area.bytes)
        prefix = writer.bytes
        let suffix = OpenPGPSignature.suffix(prefix)
        var running = running
        running.update(suffix.span)
        digest = running.finish()
        self.key = key
        self.publicKey = publicKey
        self.algorithm = algorithm
    }

    /// The packet's body. The handle is checked by whoever has it.
    func signed(by handle: SigningHandle) throws -> [UInt8] {
        let signature = try handle.raw(digest)
        var writer = ByteWriter(reserving: prefix.count + 14 + signature.count)
        writer.write(prefix)
        writer.write([0, 10, 9, SignatureFields.Number.issuer])
        writer.write(key.keyID)
        digest.withBytes { bytes in writer.write(bytes.extracting(first: 2)) }
        try OpenPGPSignature.writeNumbers(signature, of: publicKey.algorithm, to: &writer)
        return writer.bytes
    }
}
