// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import Testing

@Suite struct SigningKeyTests {
    private struct Signer {
        var record: KeyRecord
        var certificate: OpenPGPCertificate
        var key: SigningKey
    }

    private func signer(_ algorithm: KeyAlgorithm) async throws -> Signer {
        let pair = try PrivateKey.generate(algorithm)
        let created = Samples.now + .seconds(-60)
        let certificate = try OpenPGPCertificateDraft(
            userID: "Packages <packages@farm.example>", key: pair.publicKey, created: created.seconds
        ).signed(by: SigningHandle(pair, Self.handleAlgorithm(algorithm)))
        let record = try KeyRecord(
            id: .random(), scheme: .openpgp, purpose: .signing, algorithm: algorithm,
            publicKey: pair.publicKey.spki(), fingerprint: certificate.primary.key.fingerprint,
            created: created, name: KeyName("packages"), state: .enabled, expires: nil)
        let cluster = try await ClusterKey.make(.data, wrappedBy: StubKMS(), at: Samples.now).key
        let stored = try cluster.seal(pair, for: record)
        return Signer(
            record: record, certificate: certificate, key: try SigningKey(cluster.unseal(stored)))
    }

    private static func handleAlgorithm(_ algorithm: KeyAlgorithm) -> SignatureAlgorithm {
        switch algorithm.family {
        case .rsa: .rsaPKCS1(.sha512)
        case .ecdsa: .ecdsa(.sha512)
        case .ed25519: .ed25519
        }
    }

    private func draft(_ signer: Signer, _ digest: DigestAlgorithm = .sha256) throws -> OpenPGPSignatureDraft
    {
        let content = Array("a package's header".utf8)
        return try OpenPGPSignatureDraft(
            content: content.span, digest: digest,
            signer: signer.certificate.signer(
                for: PublicKey(spki: signer.record.publicKey.span), at: Samples.now.seconds),
            created: Samples.now.seconds)
    }

    private func permit(_ key: KeyRecord, _ kind: SigningKind) throws -> SignPermit {
        let access = AccessList(
            revision: Revision(1), grants: [try Samples.grant([key.id], kinds: [kind])])
        return try Gate(access, at: Samples.now).permit(Samples.client(), key: key, kind: kind)
    }

    @Test(arguments: [KeyAlgorithm.rsa2048, .p256, .ed25519])
    func signsWhatIsPermitted(_ algorithm: KeyAlgorithm) async throws {
        let signer = try await signer(algorithm)
        for digest in [DigestAlgorithm.sha256, .sha512] {
            let packet = try signer.key.sign(draft(signer, digest), permit: permit(signer.record, .rpm))
            let signature = try OpenPGPSignature(packet.span)
            let content = Array("a package's header".utf8)
            let verdict = try signer.certificate.verdict(
                on: signature, content: content.span, at: Samples.now.seconds)
            #expect(verdict.isValid, "\(verdict)")
        }
    }

    @Test func aPermitIsForOneKeyAndScheme() async throws {
        let signer = try await signer(.p256)
        let other = try await self.signer(.p256)
        func code(_ key: KeyRecord, _ kind: SigningKind, _ draft: any SignatureDraft) -> ErrorCode? {
            do {
                _ = try signer.key.sign(draft, permit: permit(key, kind))
                return nil
            } catch { return (error as? any CodedError)?.code }
        }
        let draft = try draft(signer)
        #expect(code(signer.record, .generic, draft) == nil)
        #expect(code(other.record, .generic, draft) == .permitMismatch)
        var module = try Samples.key(id: signer.record.id)
        #expect(code(module, .module, draft) == .permitMismatch)
        module = try Samples.key(scheme: .openpgp, version: 2, id: signer.record.id)
        #expect(code(module, .rpm, draft) == .permitMismatch)
        // A draft that names another signer is refused below.
        #expect(code(signer.record, .rpm, try self.draft(other)) != nil)
    }

    @Test func manyThreadsSignAtOnce() async throws {
        let signer = try await signer(.p256)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<20 {
                        let packet = try signer.key.sign(
                            draft(signer), permit: permit(signer.record, .generic))
                        #expect(!packet.isEmpty)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
