// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

/// The numbers that a public key is made of, as OpenPGP, CMS and X.509 carry them.
public enum PublicKeyComponents: Hashable, Sendable {
    /// Big-endian numbers without leading zeros.
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// The coordinates of the point, each as wide as the curve's field.
    case ecdsa(KeyAlgorithm, x: [UInt8], y: [UInt8])
    /// The 32 bytes of RFC 8032.
    case ed25519([UInt8])

    /// Reasons not to use such a key. Nothing secret is looked at, and nothing but these numbers.
    public func flaws() throws -> [KeyFlaw] {
        switch self {
        case .rsa(let modulus, let exponent):
            return try RSAVetting.flaws(modulus: modulus.span, exponent: exponent.span)
        case .ecdsa(let algorithm, let x, let y):
            let point = [4] + x + y
            return try Curve(algorithm).point(point.span) == nil ? [.pointNotOnCurve] : []
        case .ed25519(let bytes):
            return try Ed25519Point.flaws(bytes.span)
        }
    }
}

extension PublicKey {
    /// Makes a key from its numbers, which may be any: `PublicKeyComponents.flaws` judges them.
    public convenience init(_ components: PublicKeyComponents) throws {
        switch components {
        case .rsa(let modulus, let exponent):
            guard modulus.count <= 513, exponent.count <= 513 else {
                throw CryptographyError(.keyNotSupported, "an RSA modulus of \(modulus.count) bytes")
            }
            var builder = try KeyBuilder()
            try builder.add("n", BigNumber(modulus.span))
            try builder.add("e", BigNumber(exponent.span))
            try self.init(adopting: builder.publicKey("RSA"))
        case .ecdsa(let algorithm, let x, let y):
            let encoded = [4] + x + y
            guard let point = try Curve(algorithm).point(encoded.span) else {
                throw CryptographyError(.keyMalformed, KeyFlaw.pointNotOnCurve.description)
            }
            var builder = try KeyBuilder()
            try builder.add(group: algorithm)
            try builder.add("pub", publicOctets: point)
            try self.init(adopting: builder.publicKey("EC"))
        case .ed25519(let bytes):
            guard bytes.count == 32 else {
                throw CryptographyError.wrongLength("an Ed25519 public key", bytes.count, expected: "32")
            }
            try self.init(
                adopting: unsafe OpenSSLPointer(
                    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count),
                    "EVP_PKEY_new_raw_public_key"))
        }
    }

    public func components() throws -> PublicKeyComponents {
        switch algorithm.family {
        case .rsa:
            return .rsa(modulus: try number("n"), exponent: try number("e"))
        case .ecdsa:
            let width = algorithm.bits / 8
            return .ecdsa(algorithm, x: try number("qx", width: width), y: try number("qy", width: width))
        case .ed25519:
            var bytes = [UInt8](repeating: 0, count: 32)
            var count = bytes.count
            unsafe try check(
                EVP_PKEY_get_raw_public_key(pointer, &bytes, &count), "EVP_PKEY_get_raw_public_key")
            return .ed25519(bytes)
        }
    }

    private func number(_ name: String, width: Int? = nil) throws -> [UInt8] {
        var made: OpaquePointer?
        unsafe try check(EVP_PKEY_get_bn_param(pointer, name, &made), "EVP_PKEY_get_bn_param")
        let number = unsafe try OpenSSLPointer<NumberObject>(made, "EVP_PKEY_get_bn_param")
        let count = unsafe width ?? (Int(BN_num_bits(number.pointer)) + 7) / 8
        var bytes = [UInt8](repeating: 0, count: count)
        let written = unsafe BN_bn2binpad(number.pointer, &bytes, Int32(count))
        try check(Int(written) == count ? 1 : 0, "BN_bn2binpad")
        return bytes
    }
}
