// SPDX-License-Identifier: Apache-2.0

import Bytes
import Diagnostics
import Foundation
import Secrets
import TestSupport
import Testing

@testable import Cryptography

@Suite struct ComponentsTests {
    @Test(arguments: KeyAlgorithm.allCases)
    func publicKeysGoBothWays(_ algorithm: KeyAlgorithm) throws {
        let made = try KeyMaker.key(algorithm)
        let spki = [UInt8](made.spki)
        let components = try PublicKeyComponents(spki: spki.span)
        let expected: PublicKeyComponents =
            switch algorithm.family {
            case .rsa: .rsa(modulus: try made.number("n"), exponent: try made.number("e"))
            case .ecdsa: .ecdsa(algorithm, x: try made.number("x"), y: try made.number("y"))
            case .ed25519: .ed25519(try made.number("point"))
            }
        #expect(components == expected)
        #expect(components.spki == spki)
        #expect(try components.flaws() == [])
        let key = try PublicKey(components)
        #expect(key.algorithm == algorithm)
        #expect(try key.components() == components)
        #expect(try key.spki() == spki)
        #expect(try key.fingerprint() == Digest(hashing: spki.span, with: .sha256))
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func privateKeysFromRawNumbers(_ algorithm: KeyAlgorithm) throws {
        let made = try KeyMaker.key(algorithm)
        let key: PrivateKey
        switch algorithm.family {
        case .rsa:
            let n = try made.number("n")
            let e = try made.number("e")
            let d = try locked(made.number("d"))
            let p = try locked(made.number("p"))
            let q = try locked(made.number("q"))
            key = try .rsa(
                modulus: n.span, exponent: e.span, privateExponent: d.bytes, firstPrime: p.bytes,
                secondPrime: q.bytes)
        case .ecdsa:
            let scalar = try locked(made.number("scalar"))
            key = try .ecdsa(algorithm, scalar: scalar.bytes)
        case .ed25519:
            let seed = try locked(made.number("seed"))
            key = try .ed25519(seed: seed.bytes)
        }
        #expect(key.algorithm == algorithm)
        #expect(try key.publicKey.spki() == [UInt8](made.spki))
        let spki = [UInt8](made.spki)
        #expect(try key.matches(PublicKey(spki: spki.span)))
        #expect(try !key.matches(PrivateKey.generate(.p256).publicKey))
    }

    @Test(arguments: [
        (KeyAlgorithm.p256, "00", "key-weak"),
        (.p256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "key-weak"),
        (.p256, String(repeating: "01", count: 33), "wrong-length"), (.rsa2048, "01", "algorithm-mismatch"),
        (.ed25519, "01", "algorithm-mismatch"),
    ])
    func refusesScalars(_ algorithm: KeyAlgorithm, _ scalar: String, _ code: String) throws {
        let bytes = try locked(Hex.decode(scalar))
        let error = #expect(throws: CryptographyError.self) {
            try PrivateKey.ecdsa(algorithm, scalar: bytes.bytes)
        }
        #expect(error?.code.id == code)
    }

    @Test(
        arguments: [
            // y = 1, -1, 0, the two of order eight, y not below p, y without an x
            ("0100000000000000000000000000000000000000000000000000000000000000", [KeyFlaw.smallOrderPoint]),
            ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", [.smallOrderPoint]),
            ("0000000000000000000000000000000000000000000000000000000000000080", [.smallOrderPoint]),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", [.smallOrderPoint]),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", [.smallOrderPoint]),
            ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", [.pointNotOnCurve]),
            ("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", [.pointNotOnCurve]),
            ("0200000000000000000000000000000000000000000000000000000000000000", [.pointNotOnCurve]),
            ("5866666666666666666666666666666666666666666666666666666666666666", []),
        ] as [(String, [KeyFlaw])])
    func judgesEd25519Points(_ point: String, _ flaws: [KeyFlaw]) throws {
        #expect(try PublicKeyComponents.ed25519(Hex.decode(point)).flaws() == flaws)
    }

    @Test func refusesPointsOffTheCurve() throws {
        let made = try KeyMaker.key(.p256)
        let x = try made.number("x")
        var y = try made.number("y")
        y[31] ^= 1
        let components = PublicKeyComponents.ecdsa(.p256, x: x, y: y)
        #expect(try components.flaws() == [.pointNotOnCurve])
        #expect(throws: CryptographyError.self) { try PublicKey(components) }
    }
}

extension KeyMaker.Key {
    func number(_ name: String) throws -> [UInt8] { try Hex.decode(numbers[name] ?? "?") }
}
