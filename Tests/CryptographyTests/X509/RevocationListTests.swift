// SPDX-License-Identifier: Apache-2.0

import ASN1
import Testing

@testable import Cryptography

@Suite struct RevocationListTests {
    @Test func readsNumberEntriesAndReasons() throws {
        let list = try ChainMaker.list("issuing")
        let issuing = try ChainMaker.certificate("issuing")
        #expect(list.issuer == issuing.subject)
        #expect(list.number == [0x12, 0x34])
        #expect(list.authorityKeyIdentifier?.keyIdentifier == issuing.subjectKeyIdentifier)
        #expect(list.thisUpdate.description == "2024-01-01T00:00:00Z")
        #expect(list.nextUpdate.map { $0 > list.thisUpdate } == true)
        #expect(list.entries.count == 2)
        let revoked = try ChainMaker.certificate("revoked")
        let entry = try #require(list.entry(serialNumber: revoked.serialNumber))
        #expect(entry.reason == .keyCompromise)
        #expect(entry.date.description == "2024-01-02T00:00:00Z")
        let held = try ChainMaker.certificate("held")
        let second = try #require(list.entry(serialNumber: held.serialNumber))
        #expect(second.reason == nil)
        let server = try ChainMaker.certificate("server")
        #expect(list.entry(serialNumber: server.serialNumber) == nil)
        #expect(try ChainMaker.list("root").entries.isEmpty)
    }

    @Test func refusesWhatIsCutOff() throws {
        let der = try ChainMaker.list("issuing").der
        for count in 0..<der.count {
            let shorter = Array(der.prefix(count))
            #expect(throws: CryptographyError.self) { try CertificateRevocationList(der: shorter.span) }
        }
        let longer = der + [5, 0]
        #expect(throws: CryptographyError.self) { try CertificateRevocationList(der: longer.span) }
    }
}
