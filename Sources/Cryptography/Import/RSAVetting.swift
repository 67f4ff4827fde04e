// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What can be said against an RSA key from its numbers alone.
enum RSAVetting {
    /// Flaws that the public numbers show.
    static func flaws(modulus: Span<UInt8>, exponent: Span<UInt8>) throws -> [KeyFlaw] {
        let n = try BigNumber(modulus)
        let e = try BigNumber(exponent)
        var flaws = cheapFlaws(n, e)
        // The rest is meaningless, or slow, for a number of another size.
        guard flaws.isEmpty else { return flaws }
        if let factor = smallPrimes.first(where: { remainder(modulus, by: $0) == 0 }) {
            flaws.append(.smallFactor(factor))
        }
        if hasROCAForm(modulus) { flaws.append(.roca) }
        if try factorsByFermat(n) { flaws.append(.closePrimes) }
        return flaws
    }

    private static func cheapFlaws(_ n: borrowing BigNumber, _ e: borrowing BigNumber) -> [KeyFlaw] {
        var flaws: [KeyFlaw] = []
        if ![2048, 3072, 4096].contains(n.bitCount) { flaws.append(.modulusSize(n.bitCount)) }
        if !n.isOdd { flaws.append(.evenModulus) }
        if !e.isOdd { flaws.append(.evenExponent) }
        if e.bitCount < 17 { flaws.append(.exponentTooSmall) }
        if e.bitCount > 64 { flaws.append(.exponentTooLarge) }
        return flaws
    }

    /// Flaws that the private numbers show.
    ///
    /// The bounds on `d` and on the distance of the primes are those of FIPS 186-5, A.1.1 and A.1.3.
    static func flaws(_ key: borrowing RSANumbers) throws -> [KeyFlaw] {
        let flaws = try key.misfits()
        guard flaws.isEmpty else { return flaws }
        let arithmetic = try Arithmetic()
        let half = key.n.bitCount / 2
        if key.d.bitCount <= half { return [.privateExponentTooSmall] }
        if try BigNumber.difference(key.p, key.q).bitCount <= half - 100 { return [.closePrimes] }
        guard try arithmetic.isPrime(key.p), try arithmetic.isPrime(key.q) else { return [.factorNotPrime] }
        return []
    }

    // MARK: Known weak forms

    /// Odd primes below 752, as keys are tested for in public certificate authorities.
    static let smallPrimes: [Int] = (1...375).map { 2 * $0 + 1 }.filter { number in
        !(3..<number).contains { $0 * $0 <= number && number.isMultiple(of: $0) }
    }

    static func remainder(_ bytes: Span<UInt8>, by divisor: Int) -> Int {
        var rest = 0
        for index in bytes.indices { rest = (rest << 8 | Int(bytes[index])) % divisor }
        return rest
    }

    /// The primes of the weak chips are `k * M + (65537^a mod M)`, where `M` is the product of the first primes. So
    /// modulo each of these primes the modulus is a power of 65537, which for any other key happens once in 2^28.
    static func hasROCAForm(_ modulus: Span<UInt8>) -> Bool {
        for prime in smallPrimes where prime <= 167 {
            let rest = remainder(modulus, by: prime)
            var power = 1
            var isPower = false
            repeat {
                isPower = isPower || power == rest
                power = power * 65537 % prime
            } while power != 1
            if !isPower { return false }
        }
        return true
    }

    /// Fermat's method finds the primes when they are close: `n = a^2 - b^2` for some `a` just above the root.
    static func factorsByFermat(_ n: borrowing BigNumber, steps: Int = 100) throws -> Bool {
        let arithmetic = try Arithmetic()
        var a = try arithmetic.root(n)
        for _ in 0..<steps {
            let squared = try arithmetic.square(a)
            if squared.compare(n) >= 0 {
                let rest = try BigNumber.difference(squared, n)
                let b = try arithmetic.root(rest)
                if try arithmetic.square(b).compare(rest) == 0 { return true }
            }
            a = try BigNumber.sum(a, BigNumber(1))
        }
        return false
    }
}
