// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension PrivateKey {
    /// Makes a new key. RSA keys have the public exponent 65537; the larger ones take up to some seconds.
    public static func generate(_ algorithm: KeyAlgorithm) throws -> PrivateKey {
        let name =
            switch algorithm.family {
            case .rsa: "RSA"
            case .ecdsa: "EC"
            case .ed25519: "ED25519"
            }
        let context = unsafe try OpenSSLPointer<PKeyContext>(
            EVP_PKEY_CTX_new_from_name(nil, name, nil), "EVP_PKEY_CTX_new_from_name")
        unsafe try check(EVP_PKEY_keygen_init(context.pointer), "EVP_PKEY_keygen_init")
        if algorithm.family == .rsa {
            unsafe try check(
                EVP_PKEY_CTX_set_rsa_keygen_bits(context.pointer, Int32(algorithm.bits)),
                "EVP_PKEY_CTX_set_rsa_keygen_bits")
        } else if let group = algorithm.group {
            unsafe try check(
                EVP_PKEY_CTX_set_group_name(context.pointer, group), "EVP_PKEY_CTX_set_group_name")
        }
        var made: OpaquePointer?
        unsafe try check(EVP_PKEY_generate(context.pointer, &made), "EVP_PKEY_generate")
        return unsafe try PrivateKey(adopting: OpenSSLPointer(made, "EVP_PKEY_generate"))
    }
}
