// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A `BIGNUM`, wiped when it is freed.
enum NumberObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe BN_clear_free(object) }
}

/// A `BN_CTX` from the secure heap, which wipes its scratch numbers.
enum ArithmeticObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe BN_CTX_free(object) }
}

/// A non-negative number that may be secret: it lives in OpenSSL's secure heap where the process set one up, OpenSSL
/// computes with it in constant time, and it is wiped on release.
@safe struct BigNumber: ~Copyable {
    private let owner: OpenSSLPointer<NumberObject>
    var pointer: OpaquePointer { unsafe owner.pointer }

    /// Zero.
    init() throws {
        owner = try Self.zero()
    }

    /// Big-endian bytes.
    init(_ bytes: Span<UInt8>) throws {
        let number = try Self.zero()
        // The buffer is read by the call alone.
        let made = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe BN_bin2bn(buffer.baseAddress, Int32(clamping: buffer.count), number.pointer)
        }
        unsafe try check(made == nil ? 0 : 1, "BN_bin2bn")
        owner = number
    }

    init(_ word: UInt) throws {
        let number = try Self.zero()
        unsafe try check(BN_set_word(number.pointer, word), "BN_set_word")
        owner = number
    }

    private static func zero() throws -> OpenSSLPointer<NumberObject> {
        let number = unsafe try OpenSSLPointer<NumberObject>(BN_secure_new(), "BN_secure_new")
        unsafe BN_set_flags(number.pointer, BN_FLG_CONSTTIME)
        return number
    }

    // MARK: Looking at it

    var bitCount: Int { unsafe Int(BN_num_bits(pointer)) }
    var isOdd: Bool { unsafe BN_is_odd(pointer) == 1 }
    var isZero: Bool { unsafe BN_is_zero(pointer) == 1 }
    var isOne: Bool { unsafe BN_is_one(pointer) == 1 }

    /// Negative, zero or positive, as this number is less than, equal to or greater than the other.
    func compare(_ other: borrowing BigNumber) -> Int { unsafe Int(BN_cmp(pointer, other.pointer)) }

    /// Big-endian bytes of a public number, as many as it needs.
    func publicBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (bitCount + 7) / 8)
        unsafe BN_bn2bin(pointer, &bytes)
        return bytes
    }

    // MARK: Computing

    func minusOne() throws -> BigNumber { try BigNumber.difference(self, BigNumber(1)) }

    /// The distance between two numbers.
    static func difference(_ one: borrowing BigNumber, _ other: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        if one.compare(other) >= 0 {
            unsafe try check(BN_sub(result.pointer, one.pointer, other.pointer), "BN_sub")
        } else {
            unsafe try check(BN_sub(result.pointer, other.pointer, one.pointer), "BN_sub")
        }
        return result
    }

    static func sum(_ one: borrowing BigNumber, _ other: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        unsafe try check(BN_add(result.pointer, one.pointer, other.pointer), "BN_add")
        return result
    }
}

/// Scratch space for computing with numbers.
@safe struct Arithmetic: ~Copyable {
    private let owner: OpenSSLPointer<ArithmeticObject>
    var pointer: OpaquePointer { unsafe owner.pointer }

    init() throws {
        owner = unsafe try OpenSSLPointer(BN_CTX_secure_new(), "BN_CTX_secure_new")
    }

    func product(_ one: borrowing BigNumber, _ other: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        unsafe try check(BN_mul(result.pointer, one.pointer, other.pointer, pointer), "BN_mul")
        return result
    }

    func square(_ number: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        unsafe try check(BN_sqr(result.pointer, number.pointer, pointer), "BN_sqr")
        return result
    }

    func quotient(_ number: borrowing BigNumber, by divisor: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        unsafe try check(BN_div(result.pointer, nil, number.pointer, divisor.pointer, pointer), "BN_div")
        return result
    }

    func remainder(_ number: borrowing BigNumber, by divisor: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        unsafe try check(BN_div(nil, result.pointer, number.pointer, divisor.pointer, pointer), "BN_mod")
        return result
    }

    func inverse(_ number: borrowing BigNumber, modulo modulus: borrowing BigNumber) throws -> BigNumber {
        let result = try BigNumber()
        let made = unsafe BN_mod_inverse(result.pointer, number.pointer, modulus.pointer, pointer)
        unsafe try check(made == nil ? 0 : 1, "BN_mod_inverse")
        return result
    }

    /// Whether a number is prime, wrong with a probability below 2^-128.
    func isPrime(_ number: borrowing BigNumber) throws -> Bool {
        let verdict = unsafe BN_check_prime(number.pointer, pointer, nil)
        guard verdict >= 0 else { throw OpenSSLError(draining: "BN_check_prime") }
        return verdict == 1
    }

    /// The largest number whose square does not exceed a public number.
    func root(_ number: borrowing BigNumber) throws -> BigNumber {
        var guess = try BigNumber()
        unsafe try check(BN_set_bit(guess.pointer, Int32(number.bitCount / 2 + 1)), "BN_set_bit")
        while true {
            let next = try BigNumber.sum(guess, quotient(number, by: guess))
            unsafe try check(BN_rshift1(next.pointer, next.pointer), "BN_rshift1")
            if next.compare(guess) >= 0 { return guess }
            guess = next
        }
    }
}
