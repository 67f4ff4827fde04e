// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
public import Secrets

extension PrivateKey {
    /// The private key as DER of PKCS#8 version 0, to be sealed: the one way in which a key gives itself away.
    ///
    /// ```
    /// PrivateKeyInfo ::= SEQUENCE { version INTEGER (0), algorithm AlgorithmIdentifier, key OCTET STRING }
    /// RSA            ::= SEQUENCE { INTEGER (0), n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p }
    /// ECDSA          ::= SEQUENCE { INTEGER (1), OCTET STRING, [1] { BIT STRING (public point) } }
    /// Ed25519        ::= OCTET STRING
    /// ```
    /// It is written here, byte by byte into locked memory, because the library's own encoder leaves copies on the
    /// heap. Only public numbers pass through ordinary memory.
    public func pkcs8() throws -> SecretBytes {
        switch algorithm.family {
        case .rsa: try rsaPKCS8()
        case .ecdsa: try ecdsaPKCS8()
        case .ed25519: try ed25519PKCS8()
        }
    }

    // MARK: RSA

    /// In the order of the encoding.
    private static let rsaNumbers: [StaticString] = [
        "n", "e", "d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1",
    ]

    private func rsaPKCS8() throws -> SecretBytes {
        // All numbers side by side, each as wide as the modulus.
        let width = algorithm.bits / 8
        let numbers = unsafe try SecretBytes(capacity: width * Self.rsaNumbers.count) { base in
            for (index, name) in Self.rsaNumbers.enumerated() {
                unsafe try readNumber(name, width, into: base + index * width)
            }
            return width * Self.rsaNumbers.count
        }
        var lengths: [Int] = []
        for index in Self.rsaNumbers.indices {
            lengths.append(DERLayout.integerLength(numbers.bytes, at: index * width, width: width))
        }
        let inner = 3 + lengths.reduce(0) { $0 + DERLayout.total($1) }
        return try pkcs8(algorithmIdentifier: Self.rsaIdentifier, content: DERLayout.total(inner)) { output in
            DERLayout.header(0x30, inner, to: &output)
            DERLayout.bytes([2, 1, 0], to: &output)
            for (index, length) in lengths.enumerated() {
                DERLayout.integer(numbers.bytes, at: index * width, width: width, length, to: &output)
            }
        }
    }

    // MARK: Curves

    private func ecdsaPKCS8() throws -> SecretBytes {
        let width = algorithm.bits / 8
        let scalar = unsafe try SecretBytes(capacity: width) { base in
            unsafe try readNumber("priv", width, into: base)
            return width
        }
        let point = try publicPoint()
        let bits = DERLayout.total(point.count + 1)
        let inner = 3 + DERLayout.total(width) + DERLayout.total(bits)
        let identifier = algorithm == .p256 ? Self.p256Identifier : Self.p384Identifier
        return try pkcs8(algorithmIdentifier: identifier, content: DERLayout.total(inner)) { output in
            DERLayout.header(0x30, inner, to: &output)
            DERLayout.bytes([2, 1, 1], to: &output)
            DERLayout.header(0x04, width, to: &output)
            let scalar = scalar.bytes
            for index in scalar.indices { output.append(scalar[index]) }
            DERLayout.header(0xa1, bits, to: &output)
            DERLayout.header(0x03, point.count + 1, to: &output)
            DERLayout.bytes([0] + point, to: &output)
        }
    }

    private func publicPoint() throws -> [UInt8] {
        unsafe try [UInt8](unsafeUninitializedCapacity: 133) { buffer, count in
            unsafe try check(
                EVP_PKEY_get_octet_string_param(pointer, "pub", buffer.baseAddress, buffer.count, &count),
                "EVP_PKEY_get_octet_string_param")
        }
    }

    /// The 32 bytes of RFC 8032.
    func ed25519Seed() throws -> SecretBytes {
        unsafe try SecretBytes(capacity: 32) { base in
            // Not by EVP_PKEY_get_raw_private_key, which leaves a copy on the heap when the secure heap is off.
            var count = 0
            unsafe try check(
                EVP_PKEY_get_octet_string_param(pointer, "priv", base, 32, &count),
                "EVP_PKEY_get_octet_string_param")
            return count
        }
    }

    private func ed25519PKCS8() throws -> SecretBytes {
        let seed = try ed25519Seed()
        return try pkcs8(algorithmIdentifier: Self.ed25519Identifier, content: 34) { output in
            DERLayout.header(0x04, 32, to: &output)
            let seed = seed.bytes
            for index in seed.indices { output.append(seed[index]) }
        }
    }

    // MARK: Parts

    private func pkcs8(
        algorithmIdentifier: [UInt8], content: Int, _ write: (inout OutputSpan<UInt8>) -> Void
    ) throws -> SecretBytes {
        let outer = 3 + algorithmIdentifier.count + DERLayout.total(content)
        return try SecretBytes(capacity: DERLayout.total(outer)) { output in
            DERLayout.header(0x30, outer, to: &output)
            DERLayout.bytes([2, 1, 0] + algorithmIdentifier, to: &output)
            DERLayout.header(0x04, content, to: &output)
            write(&output)
        }
    }

    /// Writes a number of the key, big endian and `width` bytes wide, with no copy elsewhere.
    func readNumber(_ name: StaticString, _ width: Int, into base: UnsafeMutablePointer<UInt8>) throws {
        let name = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        var parameters = unsafe [OSSL_PARAM_construct_BN(name, base, width), OSSL_PARAM_construct_end()]
        unsafe try check(EVP_PKEY_get_params(pointer, &parameters), "EVP_PKEY_get_params")
        // The library writes in the machine's order.
        if 1.littleEndian == 1 {
            var number = unsafe UnsafeMutableBufferPointer(start: base, count: width)
            unsafe number.reverse()
        }
    }

    private static let rsaIdentifier: [UInt8] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]
    private static let p256Identifier: [UInt8] = [
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ]
    private static let p384Identifier: [UInt8] = [
        0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22,
    ]
    private static let ed25519Identifier: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70]
}

/// DER whose lengths are known before it is written, so that a secret is written once and in place.
private enum DERLayout {
    /// The length of an element with `length` bytes of content.
    static func total(_ length: Int) -> Int { length + (length < 0x80 ? 2 : length < 0x100 ? 3 : 4) }

    static func header(_ tag: UInt8, _ length: Int, to output: inout OutputSpan<UInt8>) {
        output.append(tag)
        if length >= 0x100 {
            output.append(0x82)
            output.append(UInt8(length >> 8))
        } else if length >= 0x80 {
            output.append(0x81)
        }
        output.append(UInt8(length & 0xff))
    }

    static func bytes(_ bytes: [UInt8], to output: inout OutputSpan<UInt8>) {
        for byte in bytes { output.append(byte) }
    }

    /// The length of a number's content: its shortest form, with a zero in front where the first bit is set.
    static func integerLength(_ bytes: Span<UInt8>, at start: Int, width: Int) -> Int {
        var first = start
        while first < start + width - 1, bytes[first] == 0 { first += 1 }
        return start + width - first + (bytes[first] >= 0x80 ? 1 : 0)
    }

    static func integer(
        _ bytes: Span<UInt8>, at start: Int, width: Int, _ length: Int, to output: inout OutputSpan<UInt8>
    ) {
        header(0x02, length, to: &output)
        if length > width { output.append(0) }
        for index in (start + width - min(length, width))..<(start + width) { output.append(bytes[index]) }
    }
}
