// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import Keyring
import SampleFiles
import SigningProtocol
import TestSupport
import Testing

@testable import DataService
@testable import Signatures

/// What clients who may have everything signed, as far as grants go, can be given: whatever they send, and whatever kind
/// and key they name, a signature is over a document of the key's own scheme, and never over a key, a certificate or
/// another scheme's structure.
@Suite struct OracleTests {
    /// A key of each scheme that signs files, ready as a server has it, and a grant of all kinds with all of them.
    private struct Desk {
        let keys: [(ready: ReadyKey, publicKey: PublicKey)]
        let access: AccessList
        let client: Client
        let now = Moment(seconds: Moment.now().seconds)

        init() async throws {
            let farm = try await Farm()
            let cluster = ClusterKeys(farm, farm.kms, ServiceMetrics(Metrics()), try Stand.silentLog())
            var rows = [
                try Stand.addOpenPGP("release", .rsa2048, to: farm),
                try Stand.addOpenPGP("edwards", .ed25519, to: farm),
            ]
            for scheme in [SigningScheme.module, .authenticode, .cms] {
                rows.append(try Stand.addSigner("\(scheme.rawValue) key", scheme, to: farm))
            }
            let authority = [UInt8](repeating: 7, count: 32)
            try farm.grant(rows, kinds: Set(SigningKind.allCases), to: "spiffe://test/client", of: authority)
            let stored = try await farm.access()
            access = AccessList(revision: stored.revision, grants: stored.grants.map(\.grant))
            client = Client(
                identity: try ClientIdentity(authority: authority, sort: .uri, value: "spiffe://test/client"),
                certificate: [1])
            var keys: [(ReadyKey, PublicKey)] = []
            for record in rows {
                guard let row = farm.row(record.id) else { throw Away(message: "no row") }
                let ready = try ReadyKey(try await cluster.open(row), row.record, at: now)
                keys.append((ready, try PublicKey(spki: record.publicKey.span)))
            }
            self.keys = keys
        }

        /// A job as the service does it, from its messages to its signature.
        func sign(_ requests: [SignRequest], _ key: ReadyKey) throws -> [UInt8] {
            guard let first = requests.first else { throw CancellationError() }
            var intake = try ClaimIntake(first, ServiceLimits())
            for request in requests.dropFirst() { try intake.add(request) }
            let permit = try Gate(access, at: now).permit(client, key: key.record, kind: intake.kind)
            let draft = try key.draft(for: intake.inspected(for: key.record), at: now)
            return try key.sign(draft, PermitSlot(permit))
        }
    }

    // MARK: What is sent

    /// Bytes that somebody might want to have signed, for a key and a second that he knows.
    private static func wanted(
        _ key: ReadyKey, _ publicKey: PublicKey, at now: Moment
    ) throws -> [(name: String, bytes: [UInt8])] {
        var trailer: [UInt8] = []
        var found: [(String, [UInt8])] = []
        if key.record.scheme == .openpgp {
            let encoded = key.record.certificate
            let own = try OpenPGPCertificate(encoded.span).primary.key
            let seconds = UInt32(now.seconds)
            trailer = try OpenPGPSignature.suffix(
                UnsignedPacket(0, own, created: seconds, after: RunningDigest(.sha256)).prefix)
            for type in [0x10, 0x13, 0x18, 0x19, 0x1f, 0x20, 0x28, 0x30] as [UInt8] {
                let packet = try UnsignedPacket(type, own, created: seconds, after: RunningDigest(.sha256))
                found.append(
                    ("statement \(type)", own.hashed + own.hashed + OpenPGPSignature.suffix(packet.prefix)))
            }
        }
        found.append(("certificate", try certificate(for: publicKey, endingWith: trailer)))
        let digest = Digest(hashing: trailer.span, with: .sha256)
        let image = IndirectData(digest)
        for type in [CMSAlgorithms.data, IndirectData.oid, "1.2.840.113549.1.9.16.1.4"] as [OID] {
            let time = try #require(ASN1Time(secondsSince1970: now.seconds))
            let inside = image.contents
            let inner = Digest(hashing: inside.span, with: .sha256).bytes
            let attributes = SignedAttributes(contentType: type, messageDigest: inner, signingTime: time)
            found.append(("attributes of \(type)", attributes.encoded))
        }
        found.append(("image", image.encoded))
        found.append(("module", SampleModule.bytes()))
        found.append(("header", ServiceTests.header))
        found.append(("text", Array("- a text\n".utf8)))
        return found
    }

    /// What is signed of a certificate of an authority, as much as matters, with the trailer in an extension of its own.
    private static func certificate(for key: PublicKey, endingWith trailer: [UInt8]) throws -> [UInt8] {
        var extensions = DERWriter()
        extensions.sequence { writer in
            writer.oid("2.5.29.19")
            writer.octetString([0x30, 3, 1, 1, 0xff])
        }
        extensions.sequence { writer in
            writer.oid("1.3.6.1.4.1.99999.1")
            writer.octetString(trailer)
        }
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.explicit(0) { $0.integer(2) }
            writer.integer(77)
            try SignatureAlgorithm.rsaPKCS1(.sha256).writeIdentifier(to: &writer)
            writer.encoded(try DistinguishedName(commonName: "Farm").der)
            writer.encoded(try DistinguishedName(commonName: "Thief").der)
            writer.encoded(try key.spki())
            writer.explicit(3) { $0.sequence { $0.encoded(extensions.bytes) } }
        }
        return writer.bytes
    }

    /// The bytes whole, cut where a trailer would follow, or spoilt; as content, in parts, as a midstate, or as a digest.
    private static func requests(
        _ bytes: [UInt8], _ kind: SigningKind, _ random: inout SeededGenerator
    ) throws -> [SignRequest] {
        func pick<Value>(_ values: [Value]) throws -> Value {
            try #require(values.randomElement(using: &random))
        }
        let job = try UniqueID.random()
        let algorithm = try pick([DigestAlgorithm.sha256, .sha256, .sha384, .sha512, .weakSHA1, .weakMD5])
        let name = try pick([algorithm.rawValue, algorithm.rawValue, "", "sha3"])
        let digest = Digest(hashing: bytes.span, with: algorithm).bytes
        // Mostly as this kind is claimed.
        let form = try pick([0, 1, 2, 3, 4] + [UInt8](repeating: [.efi: 3, .cms: 4][kind] ?? 0, count: 5))
        switch form {
        case 1:
            let middle = Int.random(in: 0...bytes.count, using: &random)
            let first = SignRequest(
                job: job, key: "", kind: kind.rawValue, .content(Array(bytes[..<middle])), more: true,
                digest: name)
            return [first, SignRequest(part: Array(bytes[middle...]), of: job, more: false)]
        case 2:
            var running = RunningDigest(algorithm.isWeak ? .sha256 : algorithm)
            running.update(bytes.span)
            var state = try running.midstate().encoded
            // Chaining words that come from nowhere.
            if Bool.random(using: &random) { state[Int.random(in: 2..<34, using: &random)] ^= 1 }
            return [SignRequest(job: job, key: "", kind: kind.rawValue, .midstate(state), digest: name)]
        case 3:
            let sbat = try pick([nil, Array(SampleImage.generations.utf8), [0x61]])
            return [
                SignRequest(
                    job: job, key: "", kind: kind.rawValue, .image(digest: digest, sbat: sbat), digest: name)
            ]
        case 4: return [SignRequest(job: job, key: "", kind: kind.rawValue, .digest(digest), digest: name)]
        default:
            return [SignRequest(job: job, key: "", kind: kind.rawValue, .content(bytes), digest: name)]
        }
    }

    // MARK: What is made of it

    @Test func nothingElseIsSigned() async throws {
        var random = Trials.generator("oracle")
        let desk = try await Desk()
        var made: [SigningKind: Int] = [:]
        for number in 0..<Trials.count(600, full: 20_000) {
            let (key, publicKey) = try #require(desk.keys.randomElement(using: &random))
            let wanted = try Self.wanted(key, publicKey, at: desk.now)
            // Mostly a kind of the key's own.
            let own = SigningKind.allCases.filter { $0.scheme == key.record.scheme }
            let kinds = Bool.random(using: &random) ? own : SigningKind.allCases
            let kind = try #require(kinds.randomElement(using: &random))
            // What is looked at has to be what it is called, now and then.
            let fitting = wanted.filter { [.rpm: "header", .module: "module"][kind] == $0.name }
            let targets = Int.random(in: 0..<3, using: &random) == 0 && !fitting.isEmpty ? fitting : wanted
            let target = try #require(targets.randomElement(using: &random))
            var bytes = target.bytes
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 0...min(90, bytes.count), using: &random))
            case 1: bytes[Int.random(in: bytes.indices, using: &random)] ^= 0x20
            // So that our own trailer would make it whole.
            case 2: bytes.removeLast(min(41, bytes.count))
            default: break
            }
            let signature: [UInt8]
            do {
                signature = try desk.sign(Self.requests(bytes, kind, &random), key)
            } catch {
                let coded = error as? any CodedError
                #expect(coded != nil && coded?.code.category != .internal, "\(number): \(error)")
                continue
            }
            made[kind, default: 0] += 1
            #expect(kind.scheme == key.record.scheme, "\(number)")
            try Self.check(
                signature, of: kind, by: key, publicKey, over: bytes, wanted, "\(number): \(target.name)")
        }
        // Each kind was signed, or nothing would be said of it.
        #expect(Set(made.keys) == Set(SigningKind.allCases), "\(made)")
    }

    private static func check(
        _ signature: [UInt8], of kind: SigningKind, by key: ReadyKey, _ publicKey: PublicKey,
        over content: [UInt8], _ wanted: [(name: String, bytes: [UInt8])], _ what: String
    ) throws {
        var raw: [UInt8] = []
        switch key.record.scheme {
        case .openpgp:
            let packet = try OpenPGPSignature(signature.span)
            #expect(packet.version == 4 && packet.isOverDocument, "\(what)")
            #expect(packet.isOverText == (kind == .cleartext), "\(what)")
            let trailer = packet.suffix
            // Read from its end, as every reader of any version does, it is a signature over a document.
            let length = trailer.suffix(4).reduce(0) { $0 << 8 | Int($1) }
            #expect(trailer.suffix(6).prefix(2) == [4, 0xff] && length == trailer.count - 6)
            #expect(trailer[0] == 4 && trailer[1] == (kind == .cleartext ? 1 : 0), "\(what)")
            if publicKey.algorithm == .rsa2048 {
                let number = try #require(packet.numbers?.first)
                raw = try #require(MPI.padded(number, to: 256))
            }
        case .authenticode: raw = Array(signature.suffix(256)); _ = try AuthenticodeSignature(signature.span)
        case .cms: raw = Array(signature.suffix(256)); _ = try CMSSignature(signature.span)
        case .module:
            raw = Array(signature.suffix(256))
            // The one structure that is signed as it comes, and so it has to be what no other scheme takes.
            #expect(content.starts(with: [0x7f, 0x45, 0x4c, 0x46]), "\(what)")
            _ = try ModuleSignature(signature.span)
        case .timestamp, .ca: Issue.record("\(what): a key of \(key.record.scheme.rawValue) signed")
        }
        guard !raw.isEmpty else { return }
        for digest in [DigestAlgorithm.sha256, .sha384, .sha512] {
            let handle = try VerifyingHandle(publicKey, .rsaPKCS1(digest))
            for (name, bytes) in wanted + [("content", content)] {
                let isModule = key.record.scheme == .module && bytes == content
                // A certificate around our own trailer: what one key with two schemes would be good for.
                let isTrailed = key.record.scheme == .openpgp && name == "certificate"
                // What the key's own scheme signs, around a digest that a client may claim: that of nothing, say.
                let isOwn =
                    [.authenticode: IndirectData.oid, .cms: CMSAlgorithms.data][key.record.scheme]
                    .map { name == "attributes of \($0)" } ?? false
                guard !isModule, !isTrailed, !isOwn else { continue }
                let holds = try handle.isValid(raw.span, for: Digest(hashing: bytes.span, with: digest))
                #expect(!holds, "\(what): it is a signature over \(name)")
            }
        }
    }

    /// The first attack: the content of a job is a certificate up to where the trailer goes. The signature is one over the
    /// certificate indeed, and worth nothing, since no key that signs files ever is an authority's: a server takes no key
    /// of the other scheme, whatever the row says, and the store no public key twice.
    @Test func aCertificateOutOfADocument() async throws {
        let desk = try await Desk()
        let (key, publicKey) = desk.keys[0]
        let encoded = key.record.certificate
        let own = try OpenPGPCertificate(encoded.span).primary.key
        let trailer = try OpenPGPSignature.suffix(
            UnsignedPacket(0, own, created: UInt32(desk.now.seconds), after: RunningDigest(.sha256)).prefix)
        let body = try Self.certificate(for: publicKey, endingWith: trailer)
        let content = Array(body.dropLast(trailer.count))
        let request = SignRequest(
            job: try .random(), key: "", kind: SigningKind.generic.rawValue, .content(content),
            digest: "sha256")
        let signed = try desk.sign([request], key)
        let packet = try OpenPGPSignature(signed.span)
        let raw = try #require(packet.numbers?.first.flatMap { MPI.padded($0, to: 256) })
        let handle = try VerifyingHandle(publicKey, .rsaPKCS1(.sha256))
        #expect(try handle.isValid(raw.span, for: Digest(hashing: body.span, with: .sha256)))

        let farm = try await Farm()
        let cluster = ClusterKeys(farm, farm.kms, ServiceMetrics(Metrics()), try Stand.silentLog())
        // A key that certifies signs nothing by its record alone, and one for time stamps nothing here.
        #expect(throws: KeyringError.self) {
            try farm.add("authority", PrivateKey.generate(.rsa2048), scheme: .ca)
        }
        let stamps = try farm.add("stamps", PrivateKey.generate(.rsa2048), scheme: .timestamp)
        let row = try #require(farm.row(stamps.id))
        let opened = try await cluster.open(row)
        #expect(throws: (any Error).self) { try ReadyKey(opened, row.record, at: desk.now) }
        // Nor does a key's row become another scheme's.
        let stored = try #require(farm.row(farm.add("packages", PrivateKey.generate(.rsa2048)).id))
        let known = stored.record
        let spki = known.publicKey
        let moved = try KeyRecord(
            id: known.id, scheme: .cms, purpose: .signing, algorithm: known.algorithm, publicKey: spki,
            fingerprint: Digest(hashing: spki.span, with: .sha256).bytes, created: known.created,
            name: known.name, state: known.state, expires: nil, certificate: known.certificate)
        #expect(throws: KeyringError.self) { try farm.cluster.store(moved, insteadOf: stored) }
    }

    /// The second: a generic signature over the digest of an image's structure, which other programs would take for the
    /// image's if its attributes did not say otherwise.
    @Test func anImageOutOfADigest() async throws {
        let desk = try await Desk()
        let content = ServiceTests.content
        let image = Digest(hashing: content.span, with: .sha256)
        let structure = IndirectData(image)
        let inside = structure.contents
        let digest = Digest(hashing: inside.span, with: .sha256)
        let key = try #require(desk.keys.first { $0.ready.record.scheme == .cms }?.ready)
        let request = SignRequest(
            job: try .random(), key: "", kind: SigningKind.cms.rawValue, .digest(digest.bytes),
            digest: "sha256")
        let made = try desk.sign([request], key)
        var data = try SignedData(made.span, of: "a signature")
        #expect(data.attributes.contentType == CMSAlgorithms.data)
        data.contentType = IndirectData.oid
        data.content = structure.encoded
        let encoded = data.encoded
        let forged = try AuthenticodeSignature(encoded.span)
        let certificates = key.record.certificate
        let chain = try Certificate.chain(der: certificates.span)
        for trust in [SignerTrust(signers: [chain[0]]), SignerTrust(authorities: [chain[1]])] {
            let verdict = try forged.verdict(on: image, by: trust, at: desk.now.seconds + 1)
            #expect(verdict.refusal == .wrongType)
        }
        // Its certificate is not one for code either.
        let uses = try #require(chain[0].extendedKeyUsage)
        #expect(!uses.contains("1.3.6.1.5.5.7.3.3") && !uses.contains("1.3.6.1.5.5.7.3.8"))
    }
}
