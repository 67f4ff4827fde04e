// SPDX-License-Identifier: Apache-2.0

import ASN1
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct RevocationListDraftTests {
    static func draft(
        _ root: TestAuthority, _ entries: [RevocationListDraft.Entry], days: Int64 = 7
    ) throws -> RevocationListDraft {
        RevocationListDraft(
            issuer: root.certificate, number: 0x8000, thisUpdate: try TestKeys.time(days: 0),
            nextUpdate: try TestKeys.time(days: days), entries: entries)
    }

    @Test(arguments: [KeyAlgorithm.rsa2048, .p384, .ed25519])
    func opensslRefusesTheRevokedAlone(_ algorithm: KeyAlgorithm) throws {
        let root = try TestAuthority(algorithm, algorithm == .p384 ? .sha384 : .sha256)
        let key = try TestKeys.key(.p256).publicKey
        let (good, bad) = (
            try root.issue("good", key, .moduleSigner), try root.issue("bad", key, .moduleSigner)
        )
        let entry = RevocationListDraft.Entry(
            serialNumber: bad.serialNumber, date: try TestKeys.time(days: 0), reason: .keyCompromise)
        let list = try Self.draft(root, [entry]).signed(by: root.handle)
        let folder = try TemporaryFolder()
        let listFile = try folder.write("list", list.pem)
        let rootFile = try folder.write("root", root.certificate.pem)
        for (certificate, status) in [(good, Int32(0)), (bad, 2)] {
            let output = try Command.run([
                "openssl", "verify", "-x509_strict", "-crl_check", "-CRLfile", listFile, "-CAfile", rootFile,
                try folder.write("leaf", certificate.pem),
            ])
            #expect(output.status == status)
            #expect(output.errorText.contains("certificate revoked") == (status != 0))
        }
        let text = try Command.check([
            "openssl", "crl", "-noout", "-text", "-CAfile", rootFile, "-in", listFile,
        ])
        #expect(text.errorText.contains("verify OK"))
        let words = text.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("X509v3 CRL Number: 32768"))
        #expect(words.contains("X509v3 CRL Reason Code: Key Compromise"))
        #expect(words.contains("Version 2 (0x1)"))

        // Our own judgement is the same.
        let policy = ChainPolicy(
            roots: [root.certificate], purpose: .codeSigning, time: try TestKeys.time(days: 1),
            revocationLists: [list])
        #expect((try? UnverifiedChain(good).validated(by: policy)) != nil)
        #expect((try? UnverifiedChain(bad).validated(by: policy)) == nil)
    }

    @Test func emptyListAndUnspecifiedReason() throws {
        let root = try TestAuthority(.p256)
        let empty = try Self.draft(root, []).signed(by: root.handle)
        #expect(empty.entries.isEmpty)
        #expect(empty.number == [0x80, 0])
        #expect(try CertificateRevocationList.pem(empty.pem) == [empty])
        let time = try TestKeys.time(days: 0)
        let entry = RevocationListDraft.Entry(serialNumber: [1], date: time)
        let one = try Self.draft(root, [entry]).signed(by: root.handle)
        #expect(one.entries.map(\.reason) == [nil])
        #expect(one.entries.map(\.extensions.count) == [0])
    }

    @Test func refusals() throws {
        let root = try TestAuthority(.p256)
        let time = try TestKeys.time(days: 0)
        func entry(_ serial: [UInt8], _ reason: CertificateRevocationList.Reason = .superseded)
            -> RevocationListDraft.Entry
        { RevocationListDraft.Entry(serialNumber: serial, date: time, reason: reason) }
        let bad = [
            [entry([1]), entry([1])], [entry([])], [entry([0, 1])], [entry([1], .removeFromList)],
            [entry([UInt8](repeating: 1, count: 21))],
        ]
        for entries in bad {
            let code = CertificateDraftTests.code { try Self.draft(root, entries).signed(by: root.handle) }
            #expect(code == .draftRefused)
        }
        let code = CertificateDraftTests.code { try Self.draft(root, [], days: -1).signed(by: root.handle) }
        #expect(code == .draftRefused)
        let other = try TestKeys.handle(.rsa2048)
        #expect(CertificateDraftTests.code { try Self.draft(root, []).signed(by: other) } == .signerMismatch)
    }
}
