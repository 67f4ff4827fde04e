// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// The numbers of an RSA private key. What a file says of `dP`, `dQ` and `qInv` is not used: a wrong one would make a
/// signature that betrays a prime, and OpenPGP has none of them. They are computed from the others.
struct RSANumbers: ~Copyable {
    let n: BigNumber
    let e: BigNumber
    let d: BigNumber
    let p: BigNumber
    let q: BigNumber

    /// Big-endian bytes.
    init(
        n: Span<UInt8>, e: Span<UInt8>, d: Span<UInt8>, p: Span<UInt8>, q: Span<UInt8>
    ) throws {
        // No number of a key that is taken here is longer; beyond, computing would be slow.
        for count in [n.count, e.count, d.count, p.count, q.count] where count > 513 {
            throw CryptographyError(.keyNotSupported, "an RSA key with a number of \(count) bytes")
        }
        let modulus = try BigNumber(n)
        let exponent = try BigNumber(e)
        let privateExponent = try BigNumber(d)
        let first = try BigNumber(p)
        let second = try BigNumber(q)
        self.n = modulus
        self.e = exponent
        self.d = privateExponent
        self.p = first
        self.q = second
    }

    /// What does not fit together. No key is built while anything is named here.
    func misfits() throws -> [KeyFlaw] {
        guard e.isOdd else { return [.evenExponent] }
        guard p.isOdd, q.isOdd, !p.isOne, !q.isOne, p.compare(q) != 0 else { return [.factorNotPrime] }
        let arithmetic = try Arithmetic()
        guard try arithmetic.product(p, q).compare(n) == 0 else { return [.factorsDoNotFit] }
        guard !d.isZero, d.compare(n) < 0 else { return [.exponentsDoNotFit] }
        let product = try arithmetic.product(d, e)
        for isFirst in [true, false] {
            let order = try isFirst ? p.minusOne() : q.minusOne()
            guard try arithmetic.remainder(product, by: order).isOne else { return [.exponentsDoNotFit] }
        }
        return []
    }

    /// Makes the key.
    func key() throws -> PrivateKey {
        guard [2048, 3072, 4096].contains(n.bitCount) else {
            throw CryptographyError(.keyNotSupported, KeyFlaw.modulusSize(n.bitCount).description)
        }
        if let misfit = try misfits().first { throw CryptographyError(.keyWeak, misfit.description) }
        let arithmetic = try Arithmetic()
        let dP = try arithmetic.remainder(d, by: p.minusOne())
        let dQ = try arithmetic.remainder(d, by: q.minusOne())
        let coefficient = try arithmetic.inverse(q, modulo: p)
        var builder = try KeyBuilder()
        try builder.add("n", n)
        try builder.add("e", e)
        try builder.add("d", d)
        try builder.add("rsa-factor1", p)
        try builder.add("rsa-factor2", q)
        try builder.add("rsa-exponent1", dP)
        try builder.add("rsa-exponent2", dQ)
        try builder.add("rsa-coefficient1", coefficient)
        return try PrivateKey(adopting: builder.keyPair("RSA"))
    }
}
