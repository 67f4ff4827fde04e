// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Secrets
internal import Signatures

/// A key of a file that was vetted: its halves and its certificate fit, and it can do here what it is brought for.
struct ImportedKey: Sendable {
    let key: PrivateKey
    /// Of an OpenPGP key whose subkey signs, where it was in the file too.
    let primary: PrivateKey?
    let scheme: SigningScheme
    let fingerprint: [UInt8]
    let expires: Moment?
    /// The OpenPGP certificate; of others the key's own and then the authorities that came with it, without a root.
    let certificate: [UInt8]
    /// Of X.509.
    let chain: [Certificate]

    init(_ order: ImportOrder, at now: Moment) throws {
        let file = try Self.file(order.privateKey)
        switch order.sort {
        case .openpgp:
            guard order.certificate.isEmpty else {
                throw Self.refused("certificate: an OpenPGP key has its own inside; leave it out")
            }
            try self.init(openPGP: file, order, at: now)
        case .authority: try self.init(x509: file, order, .ca, at: now)
        case .signer(let scheme): try self.init(x509: file, order, scheme, at: now)
        }
    }

    private static func refused(_ message: String) -> ControlError { ControlError(.invalidArgument, message) }

    /// What is neither PEM nor armored is in Base64, in lines or not.
    private static func file(_ secret: RequestSecret) throws -> SecretBytes {
        try file(secret.bytes)
    }

    private static func file(_ text: borrowing SecretBytes) throws -> SecretBytes {
        let isText = text.count > 10 && (0..<10).allSatisfy { text.bytes[$0] == Self.begin[$0] }
        if isText { return try SecretBytes(copying: text.bytes) }
        let packed = try SecretBytes(capacity: text.count) { output in
            for index in 0..<text.count where text.bytes[index] > 0x20 { output.append(text.bytes[index]) }
        }
        do {
            return try SecretBytes(capacity: Base64.standard.decodedCapacity(packed.count)) { output in
                try Base64.standard.decode(packed.bytes, into: &output)
            }
        } catch is BytesError {
            throw refused("private_key: it is neither PEM or armored nor Base64")
        }
    }

    private static let begin = Array("-----BEGIN".utf8)

    // MARK: OpenPGP

    private init(openPGP file: borrowing SecretBytes, _ order: ImportOrder, at now: Moment) throws {
        let keys =
            if let passphrase = order.passphrase {
                try OpenPGPSecretKeys(file, passphrase: passphrase.bytes)
            } else {
                try OpenPGPSecretKeys(file)
            }
        let owner = keys.certificate
        if !order.publicKey.isEmpty {
            let given = Array(order.publicKey.utf8)
            guard try OpenPGPCertificate(given.span).fingerprint == owner.fingerprint else {
                throw ControlError(.keyPairMismatch, "public_key: it is of another OpenPGP key")
            }
        }
        let (key, signer) = try Self.signingKey(keys, at: now)
        let isSubkey = owner.primary.key.publicKey != key.publicKey
        self.key = key
        primary = isSubkey ? try? keys.key(owner.primary.key) : nil
        scheme = .openpgp
        fingerprint = signer.key.fingerprint
        expires = signer.expires.map { Moment(seconds: $0) }
        certificate = owner.encoded
        chain = []
    }

    private static func signingKey(
        _ keys: OpenPGPSecretKeys, at now: Moment
    ) throws -> (PrivateKey, OpenPGPSigner) {
        do {
            return try keys.signingKey(at: now.seconds)
        } catch let error as SignaturesError where error.code == .draftRefused {
            throw refused("private_key: \(error.message)")
        }
    }

    // MARK: X.509

    private init(
        x509 file: borrowing SecretBytes, _ order: ImportOrder, _ scheme: SigningScheme, at now: Moment
    ) throws {
        let found =
            if let passphrase = order.passphrase {
                try KeyFile(file, passphrase: passphrase.bytes)
            } else {
                try KeyFile(file)
            }
        var certificates = try Self.certificates(order.certificate)
        if let own = found.certificate {
            guard certificates.first.map({ $0 == own }) ?? true else {
                throw ControlError(.keyPairMismatch, "certificate: it is another than the one in the file")
            }
            certificates = [own] + found.chain + certificates.dropFirst()
        }
        guard let own = certificates.first else {
            throw Self.refused("certificate: it is missing; a key of this type has one")
        }
        let spki = try found.key.publicKey.spki()
        guard own.publicKeyInfo == spki else {
            throw ControlError(
                .keyPairMismatch, "certificate: the one of \(own.subject) is not of the private key")
        }
        if !order.publicKey.isEmpty, try Self.publicKey(order.publicKey) != spki {
            throw ControlError(.keyPairMismatch, "public_key: it is not of the private key")
        }
        guard scheme.takes(found.key.algorithm) else {
            throw Self.refused(
                "private_key: the scheme \(scheme.rawValue) does not sign with \(found.key.algorithm.rawValue)"
            )
        }
        let chain = Self.chain(own, certificates)
        do {
            try Self.vet(chain, scheme, found.key.algorithm, at: now)
        } catch let error as SignaturesError {
            throw Self.refused("certificate: \(error.message)")
        }
        key = found.key
        primary = nil
        self.scheme = scheme
        self.chain = chain
        fingerprint = Digest(hashing: spki.span, with: .sha256).bytes
        expires = Moment(seconds: own.notAfter.secondsSince1970)
        let kept = scheme == .ca || scheme == .module ? [own] : chain
        certificate = kept.flatMap(\.der)
    }

    private static func certificates(_ text: String) throws -> [Certificate] {
        guard !text.isEmpty else { return [] }
        do {
            return try Certificate.pem(text, limit: 8)
        } catch let error as any CodedError {
            throw refused("certificate: \(error.message)")
        } catch {
            throw refused("certificate: \(error)")
        }
    }

    private static func publicKey(_ text: String) throws -> [UInt8] {
        do {
            return try PEMBlock.decode(text, label: "PUBLIC KEY", limit: 1).first ?? []
        } catch {
            throw refused("public_key: \(error)")
        }
    }

    /// From the key's own to the last below a root, of those that came along.
    private static func chain(_ own: Certificate, _ all: [Certificate]) -> [Certificate] {
        var chain = [own]
        while chain.count < 8, let last = chain.last, last.issuer != last.subject,
            let next = all.first(where: { !chain.contains($0) && last.isIssued(by: $0) }),
            next.issuer != next.subject
        {
            chain.append(next)
        }
        return chain
    }

    /// Has the scheme judge who would sign: a draft is refused for whatever verifiers would object to.
    private static func vet(
        _ chain: [Certificate], _ scheme: SigningScheme, _ algorithm: KeyAlgorithm, at now: Moment
    ) throws {
        let own = chain[0]
        let content: [UInt8] = [0]
        let digest = Digest(hashing: content.span, with: algorithm.usualDigest)
        switch scheme {
        case .module:
            let draft = try ModuleSignatureDraft(
                content: content.span, digest: digest.algorithm, signer: own)
            _ = draft
        case .authenticode:
            _ = try AuthenticodeDraft(imageDigest: digest, signer: chain, created: now.seconds)
        case .cms: _ = try CMSSignatureDraft(contentDigest: digest, signer: chain, created: now.seconds)
        case .ca:
            guard own.basicConstraints?.isAuthority == true,
                own.keyUsage.map({ $0.contains(.keyCertSign) && $0.contains(.crlSign) }) ?? false
            else { throw refused("certificate: \(own.subject) may not sign certificates and lists") }
        case .timestamp, .openpgp:
            throw ControlError(
                .unsupported,
                "attributes.x509_ee_usage: keys of the scheme \(scheme.rawValue) sign nothing yet")
        }
        let time = try TransportAuthority.time(now)
        guard own.isValid(at: time) else {
            throw refused("certificate: it is valid from \(own.notBefore) to \(own.notAfter) only")
        }
    }
}
