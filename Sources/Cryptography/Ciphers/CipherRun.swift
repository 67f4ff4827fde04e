// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// One pass of a cipher over one message, of less than 2^31 bytes.
@safe struct CipherRun: ~Copyable {
    private let context: OpenSSLPointer<CipherContext>
    var pointer: OpaquePointer { unsafe context.pointer }

    /// The caller has checked the lengths of key and initialisation vector.
    init(_ cipher: OpaquePointer?, key: Span<UInt8>, iv: Span<UInt8>, encrypting: Bool) throws {
        let made = unsafe try OpenSSLPointer<CipherContext>(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new")
        let result = unsafe key.withUnsafeBufferPointer { key in
            unsafe iv.withUnsafeBufferPointer { iv in
                unsafe EVP_CipherInit_ex2(
                    made.pointer, cipher, key.baseAddress, iv.baseAddress, encrypting ? 1 : 0, nil)
            }
        }
        try check(result, "EVP_CipherInit_ex2")
        context = made
    }

    func authenticate(_ associatedData: Span<UInt8>) throws {
        guard !associatedData.isEmpty else { return }
        var written: Int32 = 0
        let result = unsafe associatedData.withUnsafeBufferPointer { data in
            unsafe EVP_CipherUpdate(pointer, nil, &written, data.baseAddress, Int32(data.count))
        }
        try check(result, "EVP_CipherUpdate")
    }

    /// Writes as many bytes as it reads: the modes used here are stream modes.
    func run(_ input: Span<UInt8>, to output: UnsafeMutablePointer<UInt8>) throws {
        guard !input.isEmpty else { return }
        var written: Int32 = 0
        let result = unsafe input.withUnsafeBufferPointer { input in
            unsafe EVP_CipherUpdate(pointer, output, &written, input.baseAddress, Int32(input.count))
        }
        try check(result, "EVP_CipherUpdate")
        precondition(Int(written) == input.count, "a stream mode kept bytes back")
    }

    /// Ends the pass. Stream modes write nothing more; 0 tells that a tag was wrong.
    func finish(_ scratch: UnsafeMutablePointer<UInt8>) -> Int32 {
        var written: Int32 = 0
        return unsafe EVP_CipherFinal_ex(pointer, scratch, &written)
    }
}
