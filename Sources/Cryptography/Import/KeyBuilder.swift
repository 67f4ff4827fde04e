// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

/// An `OSSL_PARAM_BLD`.
enum ParameterBuilderObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe OSSL_PARAM_BLD_free(object) }
}

/// Makes an `EVP_PKEY` from its numbers.
///
/// OpenSSL's decoders would do that from DER too, but they leave copies of the DER, not wiped, on the ordinary heap.
/// Here secret numbers come from `BigNumber`, whose copies in the parameter list are wiped with it; after the key is
/// freed nothing of them is left.
@safe struct KeyBuilder: ~Copyable {
    private let builder: OpenSSLPointer<ParameterBuilderObject>
    /// The parameter list is made from these at the end, so they live until then.
    private var numbers: [OpaquePointer] = unsafe []
    private var octets: [UnsafeMutableBufferPointer<UInt8>] = unsafe []

    init() throws {
        builder = unsafe try OpenSSLPointer(OSSL_PARAM_BLD_new(), "OSSL_PARAM_BLD_new")
    }

    deinit {
        unsafe numbers.forEach { unsafe BN_clear_free($0) }
        unsafe octets.forEach { unsafe $0.deallocate() }
    }

    // The names are static, since the parameter list points to them.

    mutating func add(_ name: StaticString, _ number: borrowing BigNumber) throws {
        let copy = unsafe try check(BN_dup(number.pointer), "BN_dup")
        unsafe numbers.append(copy)
        let pushed = unsafe OSSL_PARAM_BLD_push_BN(builder.pointer, Self.text(name), copy)
        try check(pushed, "OSSL_PARAM_BLD_push_BN")
    }

    mutating func add(_ name: StaticString, text: StaticString) throws {
        let pushed = unsafe OSSL_PARAM_BLD_push_utf8_string(
            builder.pointer, Self.text(name), Self.text(text), text.utf8CodeUnitCount)
        try check(pushed, "OSSL_PARAM_BLD_push_utf8_string")
    }

    mutating func add(_ name: StaticString, publicOctets bytes: [UInt8]) throws {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe copy.initialize(fromContentsOf: bytes)
        unsafe octets.append(copy)
        let pushed = unsafe OSSL_PARAM_BLD_push_octet_string(
            builder.pointer, Self.text(name), copy.baseAddress, copy.count)
        try check(pushed, "OSSL_PARAM_BLD_push_octet_string")
    }

    mutating func add(group algorithm: KeyAlgorithm) throws {
        switch algorithm {
        case .p256: try add("group", text: "prime256v1")
        case .p384: try add("group", text: "secp384r1")
        default: throw CryptographyError(.algorithmMismatch, "\(algorithm.rawValue) is no curve of ECDSA")
        }
    }

    func keyPair(_ type: String) throws -> OpenSSLPointer<PKey> {
        try build(type, Int32(shim_EVP_PKEY_KEYPAIR))
    }

    func publicKey(_ type: String) throws -> OpenSSLPointer<PKey> {
        try build(type, Int32(shim_EVP_PKEY_PUBLIC_KEY))
    }

    private func build(_ type: String, _ selection: Int32) throws -> OpenSSLPointer<PKey> {
        let list = unsafe OSSL_PARAM_BLD_to_param(builder.pointer)
        defer { unsafe OSSL_PARAM_free(list) }
        try unsafe check(list == nil ? 0 : 1, "OSSL_PARAM_BLD_to_param")
        let context = unsafe try OpenSSLPointer<PKeyContext>(
            EVP_PKEY_CTX_new_from_name(nil, type, nil), "EVP_PKEY_CTX_new_from_name")
        unsafe try check(EVP_PKEY_fromdata_init(context.pointer), "EVP_PKEY_fromdata_init")
        var made: OpaquePointer?
        unsafe try check(EVP_PKEY_fromdata(context.pointer, &made, selection, list), "EVP_PKEY_fromdata")
        return unsafe try OpenSSLPointer(made, "EVP_PKEY_fromdata")
    }

    /// A static string ends in a zero byte.
    private static func text(_ name: StaticString) -> UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
