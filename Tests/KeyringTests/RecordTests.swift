// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import Keyring
import TestSupport
import Testing

@Suite struct RecordTests {
    static let server = Result { try ServerName("data-1") }

    private func records(_ count: Int) throws -> [SignatureRecord] {
        let key = try Samples.key()
        var head = ChainHead.start
        return try (0..<count).map { index in
            let content: [UInt8] = [UInt8(index)]
            let record = SignatureRecord(
                try Samples.draft(
                    key: key, facts: [Fact("rpm-version", "1"), Fact("rpm-name", "bash")],
                    content: Digest(hashing: content.span, with: index % 2 == 0 ? .sha256 : .sha512),
                    isBlind: index % 3 == 0),
                by: try Self.server.get(), after: head)
            head = record.head
            return record
        }
    }

    @Test func aRecordHasOneForm() throws {
        for record in try records(4) {
            let read = try SignatureRecord(decoding: record.encoded)
            #expect(read == record)
            #expect(read.draft.facts.map(\.name) == ["rpm-name", "rpm-version"])
            #expect(read.digest == record.digest)
        }
    }

    /// Bytes that were put together elsewhere after the layout's description.
    @Test func formsFromElsewhereAreRead() throws {
        func seed(_ path: String) throws -> [UInt8] {
            try [UInt8](Data(contentsOf: URL(fileURLWithPath: Repository.path("Fuzz/Corpus/" + path))))
        }
        let record = try SignatureRecord(decoding: seed("signature-record/made"))
        #expect(record.server.text == "data-1" && record.sequence == 1)
        #expect(record.draft.time == Samples.now && record.draft.signature == [1, 2, 3])
        #expect(record.draft.content?.bytes == [UInt8](repeating: UInt8(ascii: "d"), count: 32))
        #expect(record.draft.facts == [try Fact("rpm-name", "bash")])
        let entry = try AuditEntry(decoding: seed("audit-entry/program"))
        #expect(entry.event.actor == .program("control-admin") && entry.event.action == .userCreate)
        #expect(try AuditEntry(decoding: seed("audit-entry/made")).event.facts == [Fact("state", "enabled")])
    }

    @Test func everyByteCounts() throws {
        let record = try #require(records(1).first)
        for index in record.encoded.indices {
            var bytes = record.encoded
            bytes[index] ^= 1
            if let read = try? SignatureRecord(decoding: bytes) {
                #expect(read.encoded == bytes)
                #expect(read.digest != record.digest)
            }
        }
        for count in record.encoded.indices {
            #expect(throws: KeyringError.self) {
                try SignatureRecord(decoding: Array(record.encoded[..<count]))
            }
        }
        #expect(throws: KeyringError.self) { try SignatureRecord(decoding: record.encoded + [0]) }
    }

    @Test func aChainShowsWhatIsMissing() throws {
        let all = try records(5)
        func check(_ records: [SignatureRecord]) throws {
            var head = ChainHead.start
            for record in records {
                try head.follow(record.encoded, sequence: record.sequence, previous: record.previous)
            }
        }
        try check(all)
        #expect(throws: KeyringError.self) { try check(Array(all.dropFirst())) }
        #expect(throws: KeyringError.self) { try check([all[0], all[2]]) }
        #expect(throws: KeyringError.self) { try check([all[0], all[1], all[1]]) }
        let other = try records(2)
        let error = #expect(throws: KeyringError.self) { try check([other[0], all[1]]) }
        #expect(error?.code == .chainBroken)
    }

    @Test func theDigestIsThatOfALeaf() throws {
        let entry: [UInt8] = Array("entry".utf8)
        let leaf = [0] + entry
        #expect(ChainHead.digest(of: entry) == Digest(hashing: leaf.span, with: .sha256))
        #expect(ChainHead.start.after(entry) == ChainHead(sequence: 1, digest: ChainHead.digest(of: entry)))
        #expect(ChainHead.start.digest.bytes == [UInt8](repeating: 0, count: 32))
    }

    @Test func theSameQuestion() throws {
        let key = try Samples.key()
        let draft = try Samples.draft(key: key)
        #expect(draft.asksTheSame(as: try Samples.draft(key: key, signature: [9])))
        #expect(!draft.asksTheSame(as: try Samples.draft(key: Samples.key("another-key"))))
    }

    @Test func anAuditEntryHasOneForm() throws {
        let events = [
            try AuditEvent(
                time: Samples.now, actor: .user(.random(), name: "me@farm"), action: .keyEnable,
                subject: "key-7",
                facts: [Fact("state", "enabled")]),
            try AuditEvent(
                time: Samples.now, actor: .program("control-admin"), action: .userCreate, subject: "me@farm"),
        ]
        var head = ChainHead.start
        for event in events {
            let entry = AuditEntry(event, after: head)
            #expect(try AuditEntry(decoding: entry.encoded) == entry)
            try head.follow(entry.encoded, sequence: entry.sequence, previous: entry.previous)
            for index in entry.encoded.indices {
                var bytes = entry.encoded
                bytes[index] ^= 1
                if let read = try? AuditEntry(decoding: bytes) { #expect(read.encoded == bytes) }
            }
        }
        #expect(head.sequence == 2)
    }

    @Test func factsAreBounded() throws {
        #expect(throws: KeyringError.self) { try Fact("Name", "x") }
        #expect(throws: KeyringError.self) { try Fact("", "x") }
        #expect(try Fact("name", String(repeating: "é", count: 600)).value.utf8.count == 1024)
        let key = try Samples.key()
        #expect(throws: KeyringError.self) {
            try Samples.draft(key: key, facts: [Fact("a", "1"), Fact("a", "2")])
        }
        #expect(throws: KeyringError.self) {
            try Samples.draft(key: key, facts: (0..<33).map { try Fact("f\($0)", "") })
        }
    }
}
