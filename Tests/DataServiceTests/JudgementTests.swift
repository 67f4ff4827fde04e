// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import Testing

@testable import DataService

/// A permit does not outlive what gave it, however long a job waits for its key.
@Suite struct JudgementTests {
    private static let now = Moment(seconds: 2_000_000_000)
    private static let authority = [UInt8](repeating: 7, count: 32)

    /// When the grant, another grant and the key end; when the signature is made, all in seconds from the judgement; and
    /// the refusal, or none.
    static let cases: [(String, Int?, Int?, Int?, Int, ErrorCode?)] = [
        ("nothing ends", nil, nil, nil, 100, nil), ("in time", 10, nil, nil, 9, nil),
        ("the grant has ended", 10, 5, nil, 10, .grantExpired),
        ("another grant goes on", 10, 20, nil, 15, nil),
        ("the key has ended", 30, nil, 10, 10, .keyExpired), ("the key goes on", 30, nil, 10, 9, nil),
    ]

    @Test(arguments: cases.indices) func isLookedAtAgain(_ index: Int) async throws {
        let (name, grant, other, key, waited, refusal) = Self.cases[index]
        func moment(_ seconds: Int?) -> Moment? { seconds.map { Self.now + .seconds($0) } }
        let farm = try await Farm()
        let record = try farm.add(
            "release", PrivateKey.generate(.ed25519), created: Self.now, expires: moment(key))
        for end in [grant, other] where end == grant || end != nil {
            try farm.grant(
                [record], kinds: [.generic], to: "spiffe://test/client", of: Self.authority,
                expires: moment(end))
        }
        let stored = try await farm.access()
        let access = AccessList(revision: stored.revision, grants: stored.grants.map(\.grant))
        let identity = try ClientIdentity(
            authority: Self.authority, sort: .uri, value: "spiffe://test/client")
        let client = Client(identity: identity, certificate: [1])
        let permit = try Gate(access, at: Self.now).permit(client, key: record, kind: .generic)
        let row = try #require(farm.row(record.id))
        let judgement = Judgement(access: access, row: row, permit: permit)
        var found: ErrorCode?
        do throws(SignRefusal) {
            _ = try judgement.permit(at: Self.now + .seconds(waited))
        } catch { found = error.code }
        #expect(found == refusal, "\(name)")
    }
}
