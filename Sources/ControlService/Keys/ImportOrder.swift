// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Keyring
internal import Signatures

/// A key that somebody brings along, with its private half in locked memory.
struct ImportOrder: Sendable {
    enum Sort: Sendable {
        /// As `gpg --export-secret-keys` writes it.
        case openpgp
        /// An X.509 authority: a root, or one below another.
        case authority
        /// Signs by this scheme, with a certificate of its own.
        case signer(SigningScheme)
    }

    /// A private key's name gets its owner's in front.
    var name: KeyName
    var isPrivate: Bool
    var summary: String
    var sort: Sort
    /// PEM or armored, or else in Base64.
    var privateKey: RequestSecret
    var passphrase: RequestSecret?
    /// What has to fit the private half, where it is not empty.
    var publicKey: String
    /// In PEM, with the authorities that signatures bring along behind it; empty where the file itself has it.
    var certificate: String
}
