// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// A new OpenPGP certificate before its owner signs it: one user id and, if wanted, one subkey.
///
/// Without a subkey the primary key certifies and signs documents; with one it certifies alone, and the subkey signs.
/// Nothing in it encrypts.
public struct OpenPGPCertificateDraft: Sendable {
    public var userID: String
    public var key: PublicKey
    /// Seconds since 1970. It is part of the key's fingerprint.
    public var created: Int64
    /// Seconds since 1970; `nil` for a key without end.
    public var expires: Int64?
    public var signingSubkey: PublicKey?
    /// What the owner's signatures are made with.
    public var digest: DigestAlgorithm

    public init(
        userID: String, key: PublicKey, created: Int64, expires: Int64? = nil,
        signingSubkey: PublicKey? = nil, digest: DigestAlgorithm = .sha512
    ) {
        self.userID = userID
        self.key = key
        self.created = created
        self.expires = expires
        self.signingSubkey = signingSubkey
        self.digest = digest
    }

    /// The certificate. Both keys sign: the primary over everything, the subkey over its own binding.
    public func signed(by primary: SigningHandle, subkey: SigningHandle? = nil) throws -> OpenPGPCertificate {
        try check(primary, key, "primary key")
        if let subkey, let signingSubkey { try check(subkey, signingSubkey, "subkey") }
        guard (subkey == nil) == (signingSubkey == nil) else {
            throw refused("a subkey needs a handle that signs for it, and a handle a subkey")
        }
        let text = Array(userID.utf8)
        let isPlain = userID.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f ~= $0.value) }
        guard 1...1024 ~= text.count, isPlain else {
            throw refused("a user id has 1 to 1024 bytes and no control characters")
        }
        guard let seconds = UInt32(exactly: created), seconds > 0 else {
            throw refused("the time \(created) does not fit")
        }
        let owner = try OpenPGPKey(key, created: seconds)
        var packets = [
            OpenPGPPacket(tag: PacketTag.publicKey, body: owner.body),
            OpenPGPPacket(tag: PacketTag.userID, body: text),
            OpenPGPPacket(
                tag: PacketTag.signature, body: try certification(owner, text, seconds).signed(by: primary)),
        ]
        if let subkey {
            packets += try self.subkey(owner, seconds, primary, subkey)
        }
        let encoded = packets.flatMap(\.encoded)
        // Read back strictly, signatures included.
        let made = try OpenPGPCertificate(encoded.span)
        guard made.primary.isBound, made.subkeys.allSatisfy(\.maySign), made.userIDs == [userID] else {
            throw SignaturesError(.signatureFault, "a new OpenPGP certificate does not hold")
        }
        return made
    }

    // MARK: Signatures

    /// The owner's statement about his user id and primary key.
    private func certification(
        _ owner: OpenPGPKey, _ text: [UInt8], _ seconds: UInt32
    ) throws -> UnsignedPacket {
        var running = RunningDigest(digest)
        let bytes =
            owner.hashed + [0xb4] + SignatureFields.octets(UInt32(truncatingIfNeeded: text.count)) + text
        running.update(bytes.span)
        var extra = ByteWriter()
        typealias Number = SignatureFields.Number
        SignatureFields.write(Number.keyFlags, [signingSubkey == nil ? 3 : 1], to: &extra)
        try writeLifetime(to: &extra)
        // AES-256, AES-192, AES-128; SHA-512, SHA-384, SHA-256; ZLIB, BZip2, ZIP; modification detection.
        SignatureFields.write(Number.preferredCiphers, [9, 8, 7], to: &extra)
        SignatureFields.write(Number.preferredDigests, [10, 9, 8], to: &extra)
        SignatureFields.write(Number.preferredCompression, [2, 3, 1], to: &extra)
        SignatureFields.write(Number.features, [1], to: &extra)
        SignatureFields.write(Number.primaryUserID, [1], to: &extra)
        return try UnsignedPacket(
            SignatureType.positiveCertification, owner, created: seconds, after: running, extra: extra.bytes)
    }

    /// The subkey and the statement of both keys that they belong together.
    private func subkey(
        _ owner: OpenPGPKey, _ seconds: UInt32, _ primaryHandle: SigningHandle, _ handle: SigningHandle
    ) throws -> [OpenPGPPacket] {
        let subkey = try OpenPGPKey(handle.publicKey, created: seconds)
        var running = RunningDigest(digest)
        let bytes = owner.hashed + subkey.hashed
        running.update(bytes.span)
        let back = try UnsignedPacket(
            SignatureType.primaryBinding, subkey, created: seconds, after: running
        ).signed(by: handle)
        var extra = ByteWriter()
        SignatureFields.write(SignatureFields.Number.keyFlags, [2], to: &extra)
        try writeLifetime(to: &extra)
        SignatureFields.write(SignatureFields.Number.embedded, back, to: &extra)
        let binding = try UnsignedPacket(
            SignatureType.subkeyBinding, owner, created: seconds, after: running, extra: extra.bytes
        ).signed(by: primaryHandle)
        return [
            OpenPGPPacket(tag: PacketTag.publicSubkey, body: subkey.body),
            OpenPGPPacket(tag: PacketTag.signature, body: binding),
        ]
    }

    private func writeLifetime(to extra: inout ByteWriter) throws {
        guard let expires else { return }
        guard let end = UInt32(exactly: expires), let begin = UInt32(exactly: created), begin < end else {
            throw refused("it ends at \(expires), before it begins or too late")
        }
        SignatureFields.write(
            SignatureFields.Number.keyLifetime, SignatureFields.octets(end - begin), to: &extra)
    }

    // MARK: Checks

    private func check(_ handle: SigningHandle, _ key: PublicKey, _ name: String) throws(SignaturesError) {
        try handle.checkOwns(key, name, digest)
    }

    private func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.draftRefused, "an OpenPGP certificate: \(reason)")
    }
}

extension SigningHandle {
    /// Whether it signs with the digest for a key that a statement about an OpenPGP certificate needs.
    func checkOwns(_ key: PublicKey?, _ name: String, _ digest: DigestAlgorithm) throws(SignaturesError) {
        guard let key, self.publicKey == key else {
            throw SignaturesError(.signerMismatch, "the private key is not the one of the \(name)")
        }
        guard algorithm == OpenPGPSignature.algorithm(key, digest) else {
            throw SignaturesError(
                .signerMismatch, "the handle of the \(name) is prepared for another algorithm than the draft")
        }
    }
}
