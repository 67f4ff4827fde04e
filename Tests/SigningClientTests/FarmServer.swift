// SPDX-License-Identifier: Apache-2.0

import ASN1
import Artifacts
import Cryptography
import Diagnostics
import GRPC
import Signatures
import SigningProtocol
import Transport

/// The keys of a farm: `release` and `strong` sign packages and files, `driver` kernel modules. `strong` is a key that
/// SHA-256 is too weak for.
struct FarmKeys: Sendable {
    let strong: OpenPGPCertificate
    let strongKey: PrivateKey
    let openPGP: OpenPGPCertificate
    let openPGPKey: PrivateKey
    let module: Certificate
    let moduleKey: PrivateKey
    /// Signs images, and with another certificate files in CMS.
    let imageKey: PrivateKey
    let contentKey: PrivateKey
    /// A second one.
    let otherContentKey: PrivateKey
    let authority: PrivateKey
    /// Each with the authority behind it.
    let images: [Certificate]
    let contents: [Certificate]
    let otherContents: [Certificate]

    static let shared = Result { try FarmKeys() }

    init() throws {
        let now = WallTime.now().seconds
        openPGPKey = try .generate(.ed25519)
        openPGP = try OpenPGPCertificateDraft(userID: "Farm", key: openPGPKey.publicKey, created: now - 1000)
            .signed(by: SigningHandle(openPGPKey, .ed25519))
        strongKey = try .generate(.p384)
        strong = try OpenPGPCertificateDraft(userID: "Strong", key: strongKey.publicKey, created: now - 1000)
            .signed(by: SigningHandle(strongKey, .ecdsa(.sha512)))
        moduleKey = try .generate(.p256)
        let authority = try PrivateKey.generate(.p256)
        guard let begin = ASN1Time(secondsSince1970: now - 1000),
            let end = ASN1Time(secondsSince1970: now + 100_000)
        else { throw Failure(.internalError, "no time") }
        let root = try CertificateDraft(
            subject: DistinguishedName(commonName: "Farm CA"), key: authority.publicKey, serial: .random(),
            notBefore: begin, notAfter: end, profile: .authority(pathLength: 0)
        ).selfSigned(by: SigningHandle(authority, .ecdsa(.sha256)))
        module = try CertificateDraft(
            subject: DistinguishedName(commonName: "Farm modules"), key: moduleKey.publicKey,
            serial: .random(),
            notBefore: begin, notAfter: end, profile: .moduleSigner
        ).signed(by: SigningHandle(authority, .ecdsa(.sha256)), issuer: root)
        func chain(_ key: PrivateKey, _ profile: CertificateProfile) throws -> [Certificate] {
            let leaf = try CertificateDraft(
                subject: DistinguishedName(commonName: "Farm leaf"), key: key.publicKey, serial: .random(),
                notBefore: begin, notAfter: end, profile: profile
            ).signed(by: SigningHandle(authority, .ecdsa(.sha256)), issuer: root)
            return [leaf, root]
        }
        (imageKey, contentKey) = (try .generate(.rsa2048), try .generate(.p256))
        otherContentKey = try .generate(.rsa2048)
        images = try chain(imageKey, .imageSigner)
        contents = try chain(contentKey, .contentSigner)
        otherContents = try chain(otherContentKey, .contentSigner)
        self.authority = authority
    }

    /// The authority's list of these certificates.
    func revocationList(revoking revoked: [Certificate]) throws -> CertificateRevocationList {
        let now = WallTime.now().seconds
        guard let begin = ASN1Time(secondsSince1970: now - 500),
            let end = ASN1Time(secondsSince1970: now + 50_000)
        else { throw Failure(.internalError, "no time") }
        return try RevocationListDraft(
            issuer: contents[1], number: 1, thisUpdate: begin, nextUpdate: end,
            entries: revoked.map {
                RevocationListDraft.Entry(serialNumber: $0.serialNumber, date: begin, reason: .superseded)
            }
        ).signed(by: SigningHandle(authority, .ecdsa(.sha256)))
    }

    func sign(_ claim: Claim, _ name: String) throws -> [UInt8] {
        let now = WallTime.now().seconds
        _ = try claim.facts()
        guard claim.kind != .module else {
            guard case .bytes(let bytes) = claim.content else {
                throw Failure(.invalidArgument, "no content")
            }
            let draft = try ModuleSignatureDraft(content: bytes.span, digest: .sha256, signer: module)
            return try draft.signed(by: SigningHandle(moduleKey, draft.algorithm))
        }
        if case .image(let image) = claim.content {
            let draft = try AuthenticodeDraft(imageDigest: image.digest, signer: images, created: now)
            return try draft.signed(by: SigningHandle(imageKey, draft.algorithm))
        }
        if case .digest(let digest) = claim.content {
            let (chain, key) = name == "contents2" ? (otherContents, otherContentKey) : (contents, contentKey)
            let draft = try CMSSignatureDraft(contentDigest: digest, signer: chain, created: now)
            return try draft.signed(by: SigningHandle(key, draft.algorithm))
        }
        let (certificate, key) = name == "strong" ? (strong, strongKey) : (openPGP, openPGPKey)
        let digest: DigestAlgorithm = name == "strong" ? .sha512 : .sha256
        let signer = try certificate.signer(for: key.publicKey, at: now)
        let draft =
            switch claim.content {
            case .bytes(let bytes) where claim.kind == .cleartext:
                try OpenPGPSignatureDraft(cleartext: bytes.span, digest: digest, signer: signer, created: now)
            case .bytes(let bytes):
                try OpenPGPSignatureDraft(content: bytes.span, digest: digest, signer: signer, created: now)
            case .midstate(let midstate):
                try OpenPGPSignatureDraft(resuming: midstate, signer: signer, created: now)
            case .image, .digest: throw CancellationError()
            }
        return try draft.signed(by: SigningHandle(key, draft.algorithm))
    }

    func describe(_ name: String) throws -> KeyDescription {
        let id = try UniqueID(Array(repeating: UInt8(1), count: 16).span)
        switch name {
        case "release":
            return KeyDescription(
                id: id, name: name, version: 1, scheme: "openpgp", algorithm: "ed25519", state: "enabled",
                fingerprint: [1], created: 1, expires: nil,
                kinds: ["rpm", "rpm-v3", "generic", "cleartext"], certificate: openPGP.encoded)
        case "strong":
            return KeyDescription(
                id: id, name: name, version: 1, scheme: "openpgp", algorithm: "p-384", state: "enabled",
                fingerprint: [3], created: 1, expires: nil, kinds: ["generic"], certificate: strong.encoded)
        case "bare":
            return KeyDescription(
                id: id, name: name, version: 1, scheme: "openpgp", algorithm: "ed25519", state: "enabled",
                fingerprint: [4], created: 1, expires: nil, kinds: ["generic"])
        case "driver":
            return KeyDescription(
                id: id, name: name, version: 1, scheme: "module", algorithm: "p-256", state: "enabled",
                fingerprint: [2], created: 1, expires: nil, kinds: ["module"], certificate: module.der)
        case "images", "contents", "contents2":
            let (scheme, kind, chain) =
                name == "images"
                ? ("authenticode", "efi", images)
                : ("cms", "cms", name == "contents" ? contents : otherContents)
            return KeyDescription(
                id: id, name: name, version: 1, scheme: scheme, algorithm: "rsa-2048", state: "enabled",
                fingerprint: [5], created: 1, expires: nil, kinds: [kind],
                certificate: chain.flatMap(\.der))
        default: throw Failure(.notFound, "there is no key \(name)")
        }
    }
}

/// A data-server in this process, as weak or false as a test wants it.
final class FarmServer: Sendable {
    struct Manner: Sendable {
        /// Before each answer.
        var delay: Duration = .zero
        /// What the next jobs are answered with.
        var failures: [Failure] = []
        /// Takes jobs and never answers.
        var isDeaf = false
        /// Signs something else.
        var isFalse = false
        var jobs: [UniqueID] = []
        var underWay = 0
        var mostUnderWay = 0
    }

    let name: String
    let loops: EventLoops
    let listener: Listener
    let manner: Kept

    /// What tests and handlers share.
    final class Kept: Sendable {
        private let manner: Lock<Manner>

        init(_ manner: Manner) { self.manner = Lock(manner) }

        func withLock<Result: Sendable>(_ body: (inout Manner) -> Result) -> Result {
            manner.withLock { body(&$0) }
        }
    }

    /// At a free port, or at `port`.
    init(_ name: String, port: UInt16 = 0, _ change: (inout Manner) -> Void = { _ in }) throws {
        self.name = name
        var start = Manner()
        change(&start)
        manner = Kept(start)
        loops = try EventLoops(count: 1)
        let server = Server(
            [.signing(Handler(name: name, keys: try FarmKeys.shared.get(), manner: manner))],
            limits: SigningLimits.server)
        listener = try Listener(at: .ip4(0x7f00_0001, port: port), loops: loops, security: .plain) {
            server.serve($0)
        }
    }

    var endpoint: Endpoint { .host("127.0.0.1", port: listener.address.port) }
    var jobs: [UniqueID] { manner.withLock { $0.jobs } }

    /// Ends at once, connections and all.
    func kill() { loops.stop() }

    private struct Handler: SigningHandler {
        let name: String
        let keys: FarmKeys
        let manner: Kept

        func sign(_ call: SignCall) async throws {
            var parts: [UniqueID: (SignRequest, [UInt8])] = [:]
            while let request = try await call.next() {
                if case .content(let content) = request.claim {
                    parts[request.job, default: (request, [])].1 += content
                }
                guard !request.more else { continue }
                let (first, content) = parts.removeValue(forKey: request.job) ?? (request, [])
                let manner = manner.withLock { manner in
                    manner.jobs.append(first.job)
                    manner.underWay += 1
                    manner.mostUnderWay = max(manner.mostUnderWay, manner.underWay)
                    return (manner.delay, manner.failures.popLast(), manner.isDeaf, manner.isFalse)
                }
                guard !manner.2 else { continue }
                if manner.0 > .zero { try await Task.sleep(for: manner.0) }
                let outcome: SignReply.Outcome = await .init {
                    if let failure = manner.1 { throw failure }
                    return try made(first, manner.3 ? content + [0] : content)
                }
                self.manner.withLock { $0.underWay -= 1 }
                try await call.send(SignReply(job: first.job, outcome))
            }
        }

        private func made(_ request: SignRequest, _ content: [UInt8]) throws -> MadeSignature {
            guard let kind = SigningKind(rawValue: request.kind) else { throw Failure(.unsupported, "kind") }
            let claimed: Claim.Content
            switch request.claim {
            case .midstate(let bytes)?: claimed = .midstate(try Midstate(decoding: bytes.span))
            case .image(let bytes, let sbat)?:
                claimed = .image(ImageClaim(digest: try Digest(bytes.span, of: .sha256), sbat: sbat))
            case .digest(let bytes)?: claimed = .digest(try Digest(bytes.span, of: .sha256))
            case .content?, nil: claimed = .bytes(content)
            }
            return MadeSignature(
                signature: try keys.sign(Claim(kind, claimed), request.key), keyID: request.job,
                keyVersion: 1,
                fingerprint: [1],
                created: 1, digest: "sha256", contentDigest: [], server: name, sequence: 1, isStored: false)
        }

        func describeKey(_ request: DescribeKeyRequest, _ call: ServerCall) async throws -> KeyDescription {
            try keys.describe(request.key)
        }

        func listKeys(_ request: ListKeysRequest, _ call: ServerCall) async throws -> ListKeysReply {
            ListKeysReply(keys: [])
        }
    }
}
