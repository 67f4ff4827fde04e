// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@testable import Cryptography

@Suite struct RSAVettingTests {
    @Test(
        arguments: [
            ("good", []), ("swapped", []), ("roca", [.roca]), ("close", [.closePrimes]), ("near", []),
            ("e=3", [.exponentTooSmall]), ("e=even", [.evenExponent]), ("e=80 bits", [.exponentTooLarge]),
            ("1024", [.modulusSize(1024)]), ("n=even", [.evenModulus]), ("factor 3", [.smallFactor(3)]),
            ("composite", []), ("small d", [.exponentTooLarge]),
        ] as [(String, [KeyFlaw])])
    func judgesPublicNumbers(_ name: String, _ flaws: [KeyFlaw]) throws {
        let made = try #require(KeyMaker.made.get().flawed[name])
        let components = PublicKeyComponents.rsa(
            modulus: try Hex.decode(made["n"] ?? "?"), exponent: try Hex.decode(made["e"] ?? "?"))
        let found = try components.flaws()
        #expect(Array(found.prefix(1)) == flaws)
    }

    @Test(
        arguments: [
            ("good", []), ("swapped", []), ("roca", []), ("close", [.closePrimes]), ("near", [.closePrimes]),
            ("e=3", []), ("e=even", [.evenExponent]), ("other n", [.factorsDoNotFit]),
            ("other d", [.exponentsDoNotFit]), ("composite", [.factorNotPrime]),
            ("small d", [.privateExponentTooSmall]), ("n=even", [.factorsDoNotFit]),
        ] as [(String, [KeyFlaw])])
    func judgesPrivateNumbers(_ name: String, _ flaws: [KeyFlaw]) throws {
        let made = try #require(KeyMaker.made.get().flawed[name]).mapValues { try Hex.decode($0) }
        let (n, e, d) = try (#require(made["n"]), #require(made["e"]), #require(made["d"]))
        let (p, q) = try (#require(made["p"]), #require(made["q"]))
        let numbers = try RSANumbers(n: n.span, e: e.span, d: d.span, p: p.span, q: q.span)
        #expect(try RSAVetting.flaws(numbers) == flaws)
    }
}
