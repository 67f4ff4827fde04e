// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// One context of OpenSSL that is ready to sign or to verify again and again.
///
/// It belongs to one thread at a time: `PreparedContexts` lends it.
@safe final class PreparedContext: @unchecked Sendable {
    enum Role: Sendable {
        case sign
        case verify
    }

    private let takesMessages: Bool
    /// An `EVP_MD_CTX` when it takes messages, else an `EVP_PKEY_CTX`; either has a reference of its own to the key.
    private let pointer: OpaquePointer

    init(_ role: Role, _ algorithm: SignatureAlgorithm, key: OpaquePointer) throws {
        switch algorithm {
        case .ed25519: unsafe pointer = try Self.messages(role, key)
        case .rsaPKCS1(let digest): unsafe pointer = try Self.digests(role, key, digest, RSA_PKCS1_PADDING)
        case .rsaPSS(let digest): unsafe pointer = try Self.digests(role, key, digest, RSA_PKCS1_PSS_PADDING)
        case .ecdsa(let digest): unsafe pointer = try Self.digests(role, key, digest, nil)
        }
        takesMessages = algorithm == .ed25519
    }

    deinit {
        if takesMessages { unsafe EVP_MD_CTX_free(pointer) } else { unsafe EVP_PKEY_CTX_free(pointer) }
    }

    /// Writes a signature to `output` and returns its length; `nil` with the reason in the error queue.
    func sign(_ input: Span<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        var length = output.count
        let result = unsafe input.withUnsafeBufferPointer { input in
            unsafe takesMessages
                ? EVP_DigestSign(pointer, output.baseAddress, &length, input.baseAddress, input.count)
                : EVP_PKEY_sign(pointer, output.baseAddress, &length, input.baseAddress, input.count)
        }
        return result == 1 ? length : nil
    }

    /// Leaves why not, if so, in the error queue.
    func verify(_ signature: Span<UInt8>, _ input: Span<UInt8>) -> Bool {
        let result = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe takesMessages
                    ? EVP_DigestVerify(
                        pointer, signature.baseAddress, signature.count, input.baseAddress, input.count)
                    : EVP_PKEY_verify(
                        pointer, signature.baseAddress, signature.count, input.baseAddress, input.count)
            }
        }
        return result == 1
    }

    private static func messages(_ role: Role, _ key: OpaquePointer) throws -> OpaquePointer {
        let context = unsafe try OpenSSLPointer<MessageContext>(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        switch role {
        case .sign:
            unsafe try check(EVP_DigestSignInit(context.pointer, nil, nil, nil, key), "EVP_DigestSignInit")
        case .verify:
            unsafe try check(
                EVP_DigestVerifyInit(context.pointer, nil, nil, nil, key), "EVP_DigestVerifyInit")
        }
        return unsafe context.release()
    }

    private static func digests(
        _ role: Role, _ key: OpaquePointer, _ digest: DigestAlgorithm, _ padding: Int32?
    ) throws -> OpaquePointer {
        let context = unsafe try OpenSSLPointer<PKeyContext>(
            EVP_PKEY_CTX_new_from_pkey(nil, key, nil), "EVP_PKEY_CTX_new_from_pkey")
        switch role {
        case .sign: unsafe try check(EVP_PKEY_sign_init(context.pointer), "EVP_PKEY_sign_init")
        case .verify: unsafe try check(EVP_PKEY_verify_init(context.pointer), "EVP_PKEY_verify_init")
        }
        if let padding {
            unsafe try check(
                EVP_PKEY_CTX_set_rsa_padding(context.pointer, padding), "EVP_PKEY_CTX_set_rsa_padding")
        }
        unsafe try check(
            EVP_PKEY_CTX_set_signature_md(context.pointer, digest.evp), "EVP_PKEY_CTX_set_signature_md")
        if padding == RSA_PKCS1_PSS_PADDING {
            unsafe try check(
                EVP_PKEY_CTX_set_rsa_mgf1_md(context.pointer, digest.evp), "EVP_PKEY_CTX_set_rsa_mgf1_md")
            unsafe try check(
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context.pointer, RSA_PSS_SALTLEN_DIGEST),
                "EVP_PKEY_CTX_set_rsa_pss_saltlen")
        }
        return unsafe context.release()
    }
}
