// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Which function frees an object of the library.
protocol OpenSSLObject {
    static func free(_ object: OpaquePointer)
}

/// The one owner of an object of the library: takes it when it is made, frees it at the end.
@safe struct OpenSSLPointer<Object: OpenSSLObject>: ~Copyable {
    /// Valid while the owner lives. Calls borrow it; nothing keeps it but with a reference of its own.
    let pointer: OpaquePointer

    /// Takes what a call returned; `nil` means that the call failed.
    init(_ result: OpaquePointer?, _ operation: StaticString) throws(OpenSSLError) {
        unsafe pointer = try check(result, operation)
    }

    deinit { unsafe Object.free(pointer) }

    /// Gives the object away: who calls this has to see that it is freed.
    consuming func release() -> OpaquePointer {
        let pointer = unsafe pointer
        discard self
        return unsafe pointer
    }
}

/// An `EVP_PKEY`.
enum PKey: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe EVP_PKEY_free(object) }
}

/// An `EVP_PKEY_CTX`.
enum PKeyContext: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe EVP_PKEY_CTX_free(object) }
}

/// An `EVP_MD_CTX`.
enum MessageContext: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe EVP_MD_CTX_free(object) }
}

/// An `EVP_CIPHER_CTX`, which wipes its key schedule.
enum CipherContext: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe EVP_CIPHER_CTX_free(object) }
}
