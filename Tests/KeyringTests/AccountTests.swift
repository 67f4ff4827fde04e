// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Keyring
import Secrets
import Testing

@Suite struct AccountTests {
    @Test func rolesByHand() {
        let drawn: [(Role, [Ability])] = [
            (.viewer, [.readKeys]),
            (.operator, [.readKeys, .switchKeys, .ownKeys, .readGrants, .readRecords]),
            (.administrator, Ability.allCases),
            (.auditor, [.readKeys, .readGrants, .readRecords, .readUsers, .readAudit]),
        ]
        #expect(drawn.map(\.0) == Role.allCases)
        for (role, abilities) in drawn {
            for ability in Ability.allCases {
                #expect(role.may(ability) == abilities.contains(ability), "\(role) \(ability)")
            }
        }
    }

    @Test(arguments: ["", "a b", "a:b", "näme", "a\u{7f}", String(repeating: "a", count: 61)])
    func namesOfUsersThatAreRefused(_ name: String) {
        #expect(throws: KeyringError.self) {
            try User(id: .random(), name: name, role: .viewer, created: Samples.now)
        }
    }

    @Test func aTokenIsKnownByItsDigestAlone() throws {
        let user = try UserID.random()
        let made = try NewAPIToken.make(
            for: user, summary: "ci", created: Samples.now, life: .seconds(3600))
        let text = String(decoding: (0..<made.text.count).map { made.text.bytes[$0] }, as: UTF8.self)
        #expect(text.wholeMatch(of: /signet-[0-9a-f]{64}/) != nil)
        #expect(APIToken.digest(ofPresented: made.text.bytes) == made.token.digest)
        #expect(made.token.user == user)
        #expect(!made.token.isExpired(at: Samples.now))
        #expect(made.token.isExpired(at: Samples.now + .seconds(3600)))
        #expect(!"\(made.token)".contains(text))
        let other = try NewAPIToken.make(for: user, summary: "ci", created: Samples.now, life: .seconds(1))
        #expect(other.token.digest != made.token.digest)
    }

    @Test(arguments: ["", "signet-", "signet-00", "Signet-" + String(repeating: "0", count: 64)])
    func whatIsNoToken(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(APIToken.digest(ofPresented: bytes.span) == nil)
    }

    @Test func aTokenDoesNotLiveForEver() {
        for life in [Duration.zero, .seconds(-1), .seconds(367 * 86_400)] {
            #expect(throws: KeyringError.self) {
                _ = try NewAPIToken.make(for: .random(), summary: "", created: Samples.now, life: life)
            }
        }
    }
}
