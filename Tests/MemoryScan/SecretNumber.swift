// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Secrets

/// 24 bytes of a secret number of a private key, in the order of encodings. In the machine most numbers stand in the
/// opposite order (limbs, least byte first); the seed of Ed25519 has one order only.
public struct SecretNumber: Sendable {
    /// `d`, `p` and `q` of RSA, `d` on a curve, `seed`.
    public let name: String
    public let encoded: Canary
    public var limbs: Canary { encoded.reversed }

    /// All of a key, masked while they are copied out of its export.
    public static func all(of key: PrivateKey) throws -> [SecretNumber] {
        let export = try key.pkcs8()
        return all(in: export.bytes, key.algorithm)
    }

    /// `der` is the PKCS#8.
    public static func all(in der: Span<UInt8>, _ algorithm: KeyAlgorithm) -> [SecretNumber] {
        func number(_ name: String, at start: Int) -> SecretNumber {
            // Limbs are eight bytes long and begin at the end of the number; the piece does not depend on that.
            SecretNumber(name: name, encoded: Canary(of: der.extracting(start..<start + 24)))
        }
        switch algorithm.family {
        case .ed25519: return [number("seed", at: der.count - 32)]
        case .ecdsa:
            // Behind it are five bytes of headers and the public point.
            let width = algorithm.bits / 8
            return [number("d", at: der.count - width - 5 - (2 * width + 1))]
        case .rsa:
            // The elements after the headers of the outer and inner sequences: version, n, e, d, p, q.
            var place = 4 + 3 + 15 + 4 + 4
            var found: [SecretNumber] = []
            for name in ["version", "n", "e", "d", "p", "q"] {
                var length = Int(der[place + 1])
                place += 2
                if length > 0x80 {
                    let bytes = length - 0x80
                    length = 0
                    for _ in 0..<bytes {
                        length = length << 8 | Int(der[place])
                        place += 1
                    }
                }
                if ["d", "p", "q"].contains(name) { found.append(number(name, at: place + length / 2)) }
                place += length
            }
            return found
        }
    }
}
