// SPDX-License-Identifier: Apache-2.0

public import Cryptography

/// What a key is for. It is fixed when the key is made: the bytes that one scheme signs can be a valid certificate or
/// image in another, so a key with two schemes could be made to say what nobody meant.
public enum SigningScheme: String, CaseIterable, Hashable, Sendable {
    case openpgp
    case module
    case authenticode
    case cms
    case timestamp
    case ca

    /// Whether programs that verify this scheme take such keys.
    public func takes(_ algorithm: KeyAlgorithm) -> Bool {
        switch self {
        case .openpgp, .ca: true
        case .module: algorithm.family != .ed25519
        case .authenticode: algorithm.family == .rsa
        case .cms, .timestamp: algorithm.family != .ed25519
        }
    }

    /// Whether the digest is as strong as the scheme asks for with such a key. OpenPGP verifiers refuse an ECDSA
    /// signature over a digest that is shorter than the curve's order.
    public func takes(_ digest: DigestAlgorithm, with algorithm: KeyAlgorithm) -> Bool {
        switch digest {
        case .sha384, .sha512: true
        case .sha256: !(self == .openpgp && algorithm == .p384)
        case .sha224, .weakSHA1, .weakMD5: false
        }
    }
}
