// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import COpenSSL
internal import Diagnostics
internal import Secrets

// Keys from their raw numbers, as OpenPGP carries them. The spans lie in `SecretBytes` of the caller's.
extension PrivateKey {
    /// An RSA key from big-endian numbers. They have to fit together; whether the key is a good one says
    /// `PublicKeyComponents.flaws`.
    public static func rsa(
        modulus: Span<UInt8>, exponent: Span<UInt8>, privateExponent: Span<UInt8>,
        firstPrime: Span<UInt8>, secondPrime: Span<UInt8>
    ) throws -> PrivateKey {
        let numbers = try RSANumbers(
            n: modulus, e: exponent, d: privateExponent, p: firstPrime, q: secondPrime)
        return try numbers.key()
    }

    /// A key on P-256 or P-384 from its big-endian scalar. The public point is computed.
    public static func ecdsa(_ algorithm: KeyAlgorithm, scalar: Span<UInt8>) throws -> PrivateKey {
        let curve = try Curve(algorithm)
        guard scalar.count <= curve.width else {
            throw CryptographyError.wrongLength("a scalar", scalar.count, expected: "\(curve.width)")
        }
        let number = try BigNumber(scalar)
        guard curve.holds(scalar: number) else {
            throw CryptographyError(.keyWeak, KeyFlaw.scalarOutOfRange.description)
        }
        var builder = try KeyBuilder()
        try builder.add(group: algorithm)
        try builder.add("pub", publicOctets: curve.publicPoint(of: number))
        try builder.add("priv", number)
        return try PrivateKey(adopting: builder.keyPair("EC"))
    }

    /// An Ed25519 key from the 32 bytes of RFC 8032.
    public static func ed25519(seed: Span<UInt8>) throws -> PrivateKey {
        guard seed.count == 32 else {
            throw CryptographyError.wrongLength("an Ed25519 seed", seed.count, expected: "32")
        }
        // The buffer is read by the call alone.
        let made = unsafe seed.withUnsafeBufferPointer { buffer in
            unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, buffer.baseAddress, buffer.count)
        }
        return unsafe try PrivateKey(adopting: OpenSSLPointer(made, "EVP_PKEY_new_raw_private_key"))
    }
}

extension PrivateKey {
    /// Reads PKCS#8 DER that this house wrote and sealed. The halves have to fit, but the numbers are not vetted anew;
    /// `KeyFile` is for keys from elsewhere.
    ///
    /// All that OpenSSL keeps of the key is in its secure heap, where the process set one up.
    public static func unsealed(pkcs8 bytes: Span<UInt8>) throws -> PrivateKey {
        do {
            return try SecureHeap.holding {
                let key = try KeyLayout.pkcs8(bytes).key(in: bytes, vetting: false)
                // The first signature of an RSA key makes what later ones need.
                if key.algorithm.family == .rsa { try key.prepareForSigning() }
                return key
            }
        } catch let error as ASN1Error {
            throw CryptographyError(.keyMalformed, "a private key: \(error)")
        }
    }
}

extension PrivateKey {
    /// Makes one signature, of nothing, and forgets it.
    private func prepareForSigning() throws {
        let nothing: [UInt8] = []
        _ = try SigningHandle(self, .rsaPKCS1(.sha256)).signAndVerify(
            Digest(hashing: nothing.span, with: .sha256))
    }
}
