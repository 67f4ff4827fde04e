// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

extension PrivateKey {
    /// Whether a signature of this key verifies with that public key.
    public func matches(_ publicKey: PublicKey) throws -> Bool {
        guard algorithm == publicKey.algorithm else { return false }
        let hash = algorithm.family == .ed25519 ? nil : "SHA256"
        let message: [UInt8] = Array("a message that proves possession of a key".utf8)
        let signing = unsafe try OpenSSLPointer<MessageContext>(
            EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        unsafe try check(
            EVP_DigestSignInit_ex(signing.pointer, nil, hash, nil, nil, pointer, nil), "EVP_DigestSignInit")
        var signature = [UInt8](repeating: 0, count: 1024)
        var count = signature.count
        unsafe try check(
            EVP_DigestSign(signing.pointer, &signature, &count, message, message.count), "EVP_DigestSign")
        let verifying = unsafe try OpenSSLPointer<MessageContext>(
            EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        unsafe try check(
            EVP_DigestVerifyInit_ex(verifying.pointer, nil, hash, nil, nil, publicKey.pointer, nil),
            "EVP_DigestVerifyInit")
        let verdict = unsafe EVP_DigestVerify(verifying.pointer, signature, count, message, message.count)
        dropErrors()
        return verdict == 1
    }

    func provePossession() throws {
        guard try matches(publicKey) else {
            throw CryptographyError(.keyPairMismatch, KeyFlaw.pairDoesNotMatch.description)
        }
    }
}
