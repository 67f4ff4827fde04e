// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
public import Secrets

extension PrivateKey {
    /// The secret numbers as OpenPGP writes them, side by side and of one width: an eighth of the algorithm's bits.
    ///
    /// ```
    /// RSA      d p q u        ; u = 1/p mod q; each as wide as the modulus
    /// ECDSA    scalar         ; as wide as the curve's field
    /// Ed25519  seed           ; the 32 bytes of RFC 8032
    /// ```
    public func secretNumbers() throws -> SecretBytes {
        switch algorithm.family {
        case .rsa:
            // The library's coefficient is that of its second prime modulo its first, so they change places.
            let names: [StaticString] = ["d", "rsa-factor2", "rsa-factor1", "rsa-coefficient1"]
            return try numbers(names)
        case .ecdsa: return try numbers(["priv"])
        case .ed25519: return try ed25519Seed()
        }
    }

    private func numbers(_ names: [StaticString]) throws -> SecretBytes {
        let width = algorithm.bits / 8
        return unsafe try SecretBytes(capacity: width * names.count) { base in
            for (index, name) in names.enumerated() {
                unsafe try readNumber(name, width, into: base + index * width)
            }
            return width * names.count
        }
    }
}
