// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import TestSupport

@testable import Signatures

/// An OpenPGP certificate of the tests with its keys, ten days old.
struct TestOwner {
    static let created = TestKeys.now - 10 * 86_400
    static let userID = "Büro der Farm <farm@example.com>"

    let primary: PrivateKey
    let subkey: PrivateKey?
    let certificate: OpenPGPCertificate

    init(
        _ algorithm: KeyAlgorithm, subkey: KeyAlgorithm? = nil, digest: DigestAlgorithm = .sha512,
        expires: Int64? = nil
    ) throws {
        primary = try TestKeys.key(algorithm)
        self.subkey = try subkey.map { try TestKeys.key($0) }
        let draft = OpenPGPCertificateDraft(
            userID: Self.userID, key: primary.publicKey, created: Self.created, expires: expires,
            signingSubkey: self.subkey?.publicKey, digest: digest)
        certificate = try draft.signed(
            by: TestKeys.handle(primary, digest), subkey: self.subkey.map { try TestKeys.handle($0, digest) })
    }

    var signingKey: PrivateKey { subkey ?? primary }

    func signer(at time: Int64 = TestKeys.now) throws -> OpenPGPSigner {
        try certificate.signer(for: signingKey.publicKey, at: time)
    }

    func sign(
        _ content: [UInt8], _ digest: DigestAlgorithm, _ document: OpenPGPSignatureDraft.Document = .binary,
        at time: Int64 = TestKeys.now
    ) throws -> [UInt8] {
        try OpenPGPSignatureDraft(
            document, content: content.span, digest: digest, signer: signer(at: time), created: time
        ).signed(by: TestKeys.handle(signingKey, digest))
    }
}

/// Programs of others that verify.
enum Verifier: String, CaseIterable {
    case gpgv
    case sqv

    /// Whether the program accepts the signature.
    func accepts(_ signature: [UInt8], _ content: [UInt8], _ certificate: OpenPGPCertificate) throws -> Bool {
        let folder = try TemporaryFolder()
        let keys = try folder.write("keys.gpg", certificate.encoded)
        let (file, detached) = (try folder.write("file", content), try folder.write("file.sig", signature))
        let output = try Command.run([rawValue, "--keyring", keys, detached, file])
        return output.status == 0
    }
}

/// A GnuPG of its own.
final class GnuPG {
    let folder: TemporaryFolder

    /// `turns` octets are hashed to lock a private key; GnuPG's own choice takes a tenth of a second each time.
    init(turns: Int = 65_536) throws {
        folder = try TemporaryFolder()
        try folder.write("gpg-agent.conf", "s2k-count \(turns)\n")
    }

    deinit { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }

    @discardableResult
    func run(_ arguments: [String], input: [UInt8] = []) throws -> Command.Output {
        let start = ["gpg", "--homedir", folder.path, "--batch", "--no-tty", "--quiet"]
        return try Command.check(
            start + ["--pinentry-mode", "loopback", "--passphrase", ""] + arguments, input: input)
    }

    /// A certificate as GnuPG exports it.
    func certificate(_ name: String) throws -> OpenPGPCertificate {
        let bytes = try run(["--export", name]).stdout
        return try OpenPGPCertificate(bytes.span)
    }
}
