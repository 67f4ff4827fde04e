// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Looks at the 32 bytes of an Ed25519 public key (RFC 8032, 5.1.3), which OpenSSL takes unseen.
///
/// ```
/// bytes = y, little endian, 255 bits, then the sign of x
/// y < p = 2^255 - 19,  x^2 = (y^2 - 1) / (d y^2 + 1)
/// ```
enum Ed25519Point {
    static func flaws(_ bytes: Span<UInt8>) throws -> [KeyFlaw] {
        guard bytes.count == 32 else { return [.pointNotOnCurve] }
        var reversed = [UInt8]((0..<32).map { bytes[31 - $0] })
        reversed[0] &= 0x7f
        let y = try BigNumber(reversed.span)
        let p = try BigNumber(prime.span)
        guard y.compare(p) < 0 else { return [.pointNotOnCurve] }
        if try isOfSmallOrder(y, p) { return [.smallOrderPoint] }
        let arithmetic = try Arithmetic()
        let squared = try arithmetic.remainder(arithmetic.square(y), by: p)
        let numerator = try arithmetic.remainder(BigNumber.sum(squared, p.minusOne()), by: p)
        let product = try arithmetic.product(squared, BigNumber(d.span))
        let denominator = try arithmetic.remainder(BigNumber.sum(product, BigNumber(1)), by: p)
        // A quotient is a square exactly when the product is.
        let both = try arithmetic.remainder(arithmetic.product(numerator, denominator), by: p)
        let symbol = unsafe BN_kronecker(both.pointer, p.pointer, arithmetic.pointer)
        guard symbol >= -1 else { throw OpenSSLError(draining: "BN_kronecker") }
        return symbol == -1 ? [.pointNotOnCurve] : []
    }

    /// The eight points whose order divides 8 have `y` = 1, -1, 0 or one of two numbers that add up to `p`.
    private static func isOfSmallOrder(_ y: borrowing BigNumber, _ p: borrowing BigNumber) throws -> Bool {
        let ofOrderEight = try BigNumber(orderEight.span)
        return try y.isZero || y.isOne || y.compare(p.minusOne()) == 0 || y.compare(ofOrderEight) == 0
            || y.compare(BigNumber.difference(p, ofOrderEight)) == 0
    }

    private static let prime: [UInt8] = [0x7f] + [UInt8](repeating: 0xff, count: 30) + [0xed]
    private static let d: [UInt8] = [
        0x52, 0x03, 0x6c, 0xee, 0x2b, 0x6f, 0xfe, 0x73, 0x8c, 0xc7, 0x40, 0x79, 0x77, 0x79, 0xe8, 0x98,
        0x00, 0x70, 0x0a, 0x4d, 0x41, 0x41, 0xd8, 0xab, 0x75, 0xeb, 0x4d, 0xca, 0x13, 0x59, 0x78, 0xa3,
    ]
    private static let orderEight: [UInt8] = [
        0x05, 0xfc, 0x53, 0x6d, 0x88, 0x02, 0x38, 0xb1, 0x39, 0x33, 0xc6, 0xd3, 0x05, 0xac, 0xdf, 0xd5,
        0xf0, 0x98, 0xef, 0xf2, 0x89, 0xf4, 0xc3, 0x45, 0xb0, 0x27, 0xb2, 0xc2, 0x8f, 0x95, 0xe8, 0x26,
    ]
}
