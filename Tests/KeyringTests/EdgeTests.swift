// SPDX-License-Identifier: Apache-2.0

import Keyring
import TestSupport
import Testing

/// What others wrote into a file or into the database, at the ends of what fits.
@Suite struct EdgeTests {
    @Test func aLongFactIsCutOnceAtTheEndOfACharacter() throws {
        let long =
            String(repeating: "a", count: Fact.longestValue - 1) + String(repeating: "é", count: 4 << 20)
        let fact = try Fact("rpm-vendor", long)
        #expect(fact.value == String(repeating: "a", count: Fact.longestValue - 1))
        #expect(try Fact("rpm-vendor", "é").value == "é")
    }

    @Test(arguments: [
        (Int64.min, Int64.min / 1_000_000 - 1), (-1_000_001, -2), (-1_000_000, -1), (-1, -1), (0, 0),
        (999_999, 0), (1_000_000, 1), (.max, .max / 1_000_000),
    ]) func secondsAreRoundedDown(_ microseconds: Int64, _ seconds: Int64) {
        #expect(Moment(microseconds: microseconds).seconds == seconds)
    }

    @Test func theLastNumberOfAChainIsNoTrap() {
        let head = ChainHead(sequence: .max, digest: ChainHead.start.digest)
        #expect(head.after([1]).sequence == 0)
    }
}
