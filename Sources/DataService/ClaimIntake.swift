// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures
internal import SigningProtocol

/// Takes what a client sends as the claim of one job, part by part, and hashes it as it comes.
///
/// What has to be looked at is kept: the whole main header of an RPM, a whole text, the start and end of a module. Of other content
/// that comes in parts nothing is kept but the state of the hash functions.
struct ClaimIntake {
    let job: UniqueID
    let key: String
    let kind: SigningKind
    /// As asked for; nil for the key's own choice.
    let digest: DigestAlgorithm?
    /// In milliseconds.
    let timeout: UInt32

    private let limit: Int
    private var claim: Claim
    private(set) var count = 0

    private enum Claim {
        /// In one message, or to be parsed as a whole.
        case whole([UInt8])
        case parts(Parts)
        case midstate(Midstate)
        case image(ImageClaim)
        case digest(Digest)
    }

    private struct Parts {
        /// As much as tells a package.
        var head: [UInt8] = []
        var ends = ModuleEnds()
        var digests: [RunningDigest]
    }

    /// Begins with the first message of a job.
    init(_ request: SignRequest, _ limits: ServiceLimits) throws {
        job = request.job
        key = request.key
        guard let kind = SigningKind(rawValue: request.kind) else {
            let served = SigningKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw DataServiceError(.unsupported, "kind: one of \(served) is served here")
        }
        self.kind = kind
        timeout = request.timeout
        limit =
            switch kind {
            case .rpm: limits.largestHeader
            case .cleartext: min(limits.largestHeader, CleartextMessage.largest)
            default: limits.largestContent
            }
        let asked = try Self.algorithm(request.digest)
        switch request.claim {
        case .content(let content)?:
            guard kind != .efi, kind != .cms else {
                throw DataServiceError(.badClaim, "claim: for the kind \(kind.rawValue) a digest is sent")
            }
            guard kind != .rpmLegacy else {
                throw DataServiceError(
                    .badClaim, "content: header and payload of a package are claimed by their midstate")
            }
            digest = asked
            if kind == .rpm || kind == .cleartext || !request.more {
                claim = .whole([])
            } else {
                // The key's own choice is one of these two.
                let algorithms = asked.map { [$0] } ?? [.sha256, .sha512]
                let all = algorithms.contains(.sha256) ? algorithms : [.sha256] + algorithms
                claim = .parts(Parts(digests: all.map { RunningDigest($0) }))
            }
            try take(content, isLast: !request.more)
        case .midstate(let bytes)?:
            guard kind == .generic || kind == .rpmLegacy else {
                throw DataServiceError(
                    .badClaim,
                    "midstate: a \(kind.rawValue) is sent as its content, so that it can be looked at")
            }
            guard !request.more else { throw DataServiceError(.badClaim, "more: a midstate has one message") }
            let state = try Midstate(decoding: bytes.span, minimumBlocks: 1)
            guard asked == nil || asked == state.algorithm else {
                throw DataServiceError(.badClaim, "digest: it is not that of the midstate")
            }
            digest = state.algorithm
            claim = .midstate(state)
        case .image(let bytes, let sbat)?:
            let value = try Self.digest(bytes, asked, request, of: .efi)
            digest = value.algorithm
            claim = .image(ImageClaim(digest: value, sbat: sbat))
        case .digest(let bytes)?:
            let value = try Self.digest(bytes, asked, request, of: .cms)
            digest = value.algorithm
            claim = .digest(value)
        case nil: throw DataServiceError(.badClaim, "claim: it is missing")
        }
    }

    /// The digest that stands for content which the server does not see.
    private static func digest(
        _ bytes: [UInt8], _ algorithm: DigestAlgorithm?, _ request: SignRequest, of kind: SigningKind
    ) throws -> Digest {
        guard request.kind == kind.rawValue else {
            throw DataServiceError(
                .badClaim, "claim: only for the kind \(kind.rawValue) a digest of this sort is sent")
        }
        guard !request.more else { throw DataServiceError(.badClaim, "more: a digest has one message") }
        guard let algorithm, let digest = try? Digest(bytes.span, of: algorithm) else {
            throw DataServiceError(
                .badClaim, "digest: it names no function with digests of \(bytes.count) bytes")
        }
        return digest
    }

    /// Goes on with a further part.
    mutating func add(_ request: SignRequest) throws {
        guard request.isPart, case .content(let content) = request.claim else {
            throw DataServiceError(.badClaim, "a further part has the job, content and `more` alone")
        }
        guard !content.isEmpty || !request.more else {
            throw DataServiceError(.badClaim, "content: a part is empty, and more follow")
        }
        try take(content, isLast: !request.more)
    }

    /// How many bytes it keeps.
    var held: Int {
        switch claim {
        case .whole(let bytes): bytes.count
        case .parts(let parts): parts.head.count + parts.ends.held
        case .midstate, .digest: 0
        case .image(let image): image.sbat?.count ?? 0
        }
    }

    private mutating func take(_ content: [UInt8], isLast: Bool) throws {
        guard content.count <= limit - count else {
            throw DataServiceError(.tooLarge, "content: a \(kind.rawValue) may have \(limit) bytes")
        }
        count += content.count
        switch claim {
        case .whole(let bytes) where bytes.isEmpty: claim = .whole(content)
        case .whole(var bytes):
            claim = .whole([])
            bytes += content
            claim = .whole(bytes)
        case .parts(var parts):
            claim = .whole([])
            for index in parts.digests.indices { parts.digests[index].update(content.span) }
            parts.head += content.prefix(Self.headCount - parts.head.count)
            parts.ends.take(content)
            claim = .parts(parts)
        case .midstate, .image, .digest: break
        }
    }

    // MARK: Judgement

    /// Looks at the whole claim, and goes on hashing where the signature's structure begins.
    func inspected(for key: KeyRecord) throws -> InspectedClaim {
        let algorithm = try algorithm(for: key)
        switch claim {
        case .whole(let bytes):
            if kind == .cleartext { return try Self.text(bytes, algorithm) }
            let facts = try Self.facts(of: bytes, kind)
            var running = RunningDigest(algorithm)
            running.update(bytes.span)
            let content = running.finish()
            return InspectedClaim(
                digest: algorithm == .sha256 ? content : Digest(hashing: bytes.span, with: .sha256),
                content: content, running: running, isBlind: false, facts: facts)
        case .parts(let parts):
            try Self.check(head: parts.head.span, parts.ends, kind)
            guard let running = parts.digests.first(where: { $0.algorithm == algorithm }),
                let first = parts.digests.first(where: { $0.algorithm == .sha256 })
            else { throw DataServiceError(.badClaim, "digest: the key \(key.name) needs another one") }
            return InspectedClaim(
                digest: first.finish(), content: running.finish(), running: running, isBlind: false, facts: []
            )
        case .midstate(let state):
            let encoded = state.encoded
            let running = RunningDigest(resuming: state)
            return InspectedClaim(
                digest: Digest(hashing: encoded.span, with: .sha256), content: running.finish(),
                running: running, isBlind: true, facts: [])
        case .image(let image):
            let generations = try Artifacts.Claim(.efi, .image(image)).facts().generations
            let facts = try generations.map { generations in
                let text = generations.components.map { "\($0.name),\($0.generation)" }
                return [try Fact("efi-sbat", text.joined(separator: " "))]
            }
            // What has no section differs from what has an empty one.
            let sent = image.digest.bytes + (image.sbat.map { [1] + $0 } ?? [0])
            return InspectedClaim(
                digest: Digest(hashing: sent.span, with: .sha256), content: image.digest, running: nil,
                isBlind: true, facts: facts ?? [])
        case .digest(let digest):
            let sent = digest.bytes
            return InspectedClaim(
                digest: Digest(hashing: sent.span, with: .sha256), content: digest, running: nil,
                isBlind: true, facts: [])
        }
    }

    /// The text with the line ends that are signed.
    private static func text(_ bytes: [UInt8], _ algorithm: DigestAlgorithm) throws -> InspectedClaim {
        guard let running = CleartextMessage.digest(of: bytes.span, algorithm) else {
            throw DataServiceError(
                .claimRefused, "content: \(CleartextMessage.refusal(of: bytes.span) ?? "no text")")
        }
        var claim = InspectedClaim(
            digest: Digest(hashing: bytes.span, with: .sha256), content: running.finish(), running: running,
            isBlind: false, facts: [])
        claim.document = .text
        return claim
    }

    private func algorithm(for key: KeyRecord) throws -> DigestAlgorithm {
        guard let digest else { return key.scheme.takes(.sha256, with: key.algorithm) ? .sha256 : .sha512 }
        guard key.scheme.takes(digest, with: key.algorithm) else {
            throw DataServiceError(
                .badClaim, "digest: the key \(key.name) does not sign with \(digest.rawValue)")
        }
        return digest
    }

    private static func facts(of content: [UInt8], _ kind: SigningKind) throws -> [Fact] {
        guard kind == .rpm else {
            var ends = ModuleEnds()
            ends.take(content)
            try check(head: content.span, ends, kind)
            return []
        }
        let header = try RPMHeader(content, .main)
        let package = header.package
        var facts = [
            try Fact("rpm-name", package.name), try Fact("rpm-version", package.version),
            try Fact("rpm-release", package.release),
            try Fact("rpm-arch", package.isSource ? "src" : package.architecture),
        ]
        if let epoch = package.epoch { facts.append(try Fact("rpm-epoch", "\(epoch)")) }
        if let vendor = package.vendor { facts.append(try Fact("rpm-vendor", vendor)) }
        let payload = try header.signablePayload()
        facts.append(try Fact("rpm-payload", "\(payload.algorithm.rawValue):\(payload)"))
        return facts
    }

    private static let headCount = 64

    private static func check(head: Span<UInt8>, _ ends: ModuleEnds, _ kind: SigningKind) throws {
        guard !RPMHeader.begins(head) else {
            throw DataServiceError(
                .claimRefused, "content: it begins as the header of an RPM and has to be sent as the kind rpm"
            )
        }
        if kind == .module { try ends.check() }
    }

    private static func algorithm(_ name: String) throws -> DigestAlgorithm? {
        switch name {
        case "": return nil
        case "sha256": return .sha256
        case "sha384": return .sha384
        case "sha512": return .sha512
        default: throw DataServiceError(.badClaim, "digest: one of sha256, sha384, sha512, or none")
        }
    }
}

/// A claim that was looked at.
struct InspectedClaim: Sendable {
    /// SHA-256 of what the client sent.
    let digest: Digest
    /// Of the content as far as the server can tell.
    let content: Digest
    /// Ready for what the signature appends; none where a digest alone was sent.
    let running: RunningDigest?
    let isBlind: Bool
    let facts: [Fact]
    /// What an OpenPGP signature is over.
    var document = OpenPGPSignatureDraft.Document.binary
}
