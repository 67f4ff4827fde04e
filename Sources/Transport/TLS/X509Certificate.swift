// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import COpenSSL
internal import Cryptography

/// An `X509` of the library, with one reference.
@safe final class X509Certificate {
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    /// Adds a reference.
    init?(borrowing pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe X509_up_ref(pointer)
        unsafe self.pointer = pointer
    }

    deinit { unsafe X509_free(pointer) }

    /// SHA-256 of the DER form.
    var fingerprint: [UInt8] {
        unsafe Self.digest { unsafe i2d_X509(pointer, $0) }
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    var publicKeyFingerprint: [UInt8] {
        unsafe Self.digest { unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) }
    }

    /// Big-endian, without leading zeros.
    var serial: [UInt8] {
        let number = unsafe X509_get0_serialNumber(pointer)
        return unsafe Array(Self.bytes(number).drop { $0 == 0 })
    }

    private static func digest(
        _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) -> [UInt8] {
        let count = Int(max(0, encode(nil)))
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var next = buffer.baseAddress
            filled = unsafe Int(max(0, encode(&next)))
        }
        return Digest(hashing: bytes.span, with: .sha256).bytes
    }

    static func bytes(_ string: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string = unsafe string, let start = unsafe ASN1_STRING_get0_data(string) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(max(0, ASN1_STRING_length(string)))))
    }
}

/// An `X509_CRL` of the library, with one reference.
@safe final class X509RevocationList {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe X509_CRL_free(pointer) }
}
