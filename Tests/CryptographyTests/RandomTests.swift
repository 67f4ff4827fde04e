// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import Secrets
import Testing

@Suite struct RandomTests {
    @Test func fillsEveryByte() throws {
        // Each byte of 64 is zero in all of 20 draws with a chance of 2^-154.
        var seen = [UInt8](repeating: 0, count: 64)
        var hidden = seen
        for _ in 0..<20 {
            for (place, byte) in try Random.bytes(64).enumerated() { seen[place] |= byte }
            let secret = try Random.secret(64)
            let bytes = secret.bytes
            for place in bytes.indices { hidden[place] |= bytes[place] }
        }
        #expect(!seen.contains(0) && !hidden.contains(0))
    }

    @Test(arguments: [-1, 0, 1 << 24 + 1, .max])
    func refusesACount(_ count: Int) {
        #expect(throws: CryptographyError.self) { try Random.bytes(count) }
        #expect(throws: CryptographyError.self) { _ = try Random.secret(count) }
    }

    @Test func idsAreUniqueAndOfVersion4() throws {
        let ids = try (0..<1000).map { _ in try UniqueID.random() }
        #expect(Set(ids).count == 1000)
        for id in ids.prefix(50) {
            let text = id.description
            #expect(UniqueID(text) == id)
            #expect(try UniqueID(id.bytes.span) == id)
            #expect(UUID(uuidString: text)?.uuidString.lowercased() == text)
            #expect(Array(text)[14] == "4")
            #expect("89ab".contains(Array(text)[19]))
        }
    }

    @Test func idsAreOrderedAsTheirBytes() throws {
        let ids = try (0..<100).map { _ in try UniqueID.random() }.sorted()
        for (one, next) in zip(ids, ids.dropFirst()) {
            #expect(one.bytes.lexicographicallyPrecedes(next.bytes))
        }
    }

    @Test(arguments: [
        "", "-", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000",
        "00000000000000000000000000000000", "00000000-0000-0000-0000-00000000000g",
        "ABCDEF00-0000-0000-0000-000000000000", "0000000-00000-0000-0000-000000000000",
        "00000000-0000-0000-0000-000000000000-", " 0000000-0000-0000-0000-000000000000",
    ])
    func refusesATextThatIsNoID(_ text: String) {
        #expect(UniqueID(text) == nil)
    }

    @Test func refusesBytesThatAreNoID() {
        let bytes = [UInt8](repeating: 1, count: 15)
        #expect(throws: CryptographyError.self) { try UniqueID(bytes.span) }
    }
}
