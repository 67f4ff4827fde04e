// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// A reason not to use a key.
public enum KeyFlaw: Hashable, Sendable, CustomStringConvertible {
    // RSA
    case modulusSize(Int)
    case evenModulus
    case smallFactor(Int)
    case evenExponent
    case exponentTooSmall
    case exponentTooLarge
    /// The modulus has the form that one maker's chips gave it, which can be factored (ROCA, CVE-2017-15361).
    case roca
    case closePrimes
    case factorNotPrime
    case factorsDoNotFit
    case exponentsDoNotFit
    case privateExponentTooSmall
    // Curves
    case pointNotOnCurve
    case smallOrderPoint
    case scalarOutOfRange
    // Any
    case pairDoesNotMatch

    public var description: String {
        switch self {
        case .modulusSize(let bits): "an RSA modulus of \(bits) bits (2048, 3072 or 4096 are taken)"
        case .evenModulus: "an even RSA modulus"
        case .smallFactor(let factor): "an RSA modulus that \(factor) divides"
        case .evenExponent: "an even RSA public exponent"
        case .exponentTooSmall: "an RSA public exponent below 65537"
        case .exponentTooLarge: "an RSA public exponent of more than 64 bits"
        case .roca: "an RSA modulus of the weak form known as ROCA (CVE-2017-15361)"
        case .closePrimes: "RSA primes so close together that the modulus can be factored"
        case .factorNotPrime: "an RSA factor that is no prime"
        case .factorsDoNotFit: "RSA primes whose product is not the modulus"
        case .exponentsDoNotFit: "an RSA private exponent that does not fit the public one"
        case .privateExponentTooSmall: "an RSA private exponent so small that it can be computed"
        case .pointNotOnCurve: "a public point that is not on the curve"
        case .smallOrderPoint: "a public point of small order"
        case .scalarOutOfRange: "a private scalar that is zero or not below the order of the curve"
        case .pairDoesNotMatch: "a private key that does not belong to its public key"
        }
    }
}

extension KeyFlaw {
    static func refuse(_ flaws: [KeyFlaw]) throws {
        guard flaws.isEmpty else {
            throw CryptographyError(.keyWeak, flaws.map(\.description).joined(separator: "; "))
        }
    }
}
