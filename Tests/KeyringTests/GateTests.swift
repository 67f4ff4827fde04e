// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Signatures
import Testing

@Suite struct GateTests {
    /// The code of the refusal, or `nil` where a permit is given.
    private func refusal(
        _ grants: [Grant], key: KeyRecord, kind: SigningKind = .module, client: Client? = nil,
        denied: Set<DeniedClient> = [], at now: Moment = Samples.now
    ) throws -> ErrorCode? {
        let client = try client ?? Samples.client()
        let access = AccessList(revision: Revision(4), grants: grants, denied: denied)
        do {
            let permit = try Gate(access, at: now).permit(client, key: key, kind: kind)
            #expect(permit.ruling.key == key.id)
            #expect(permit.ruling.revision == Revision(4))
            return nil
        } catch {
            #expect(!error.message.isEmpty)
            return error.code
        }
    }

    @Test func nothingIsGrantedByItself() throws {
        let key = try Samples.key()
        #expect(try refusal([], key: key) == .notGranted)
        #expect(try refusal([Samples.grant([key.id])], key: key) == nil)
    }

    @Test func whatIsNotInTheGrant() throws {
        let key = try Samples.key()
        let other = try Samples.key("another-key")
        let grant = try Samples.grant([key.id])
        #expect(try refusal([grant], key: other) == .notGranted)
        #expect(try refusal([grant], key: key, kind: .rpm) == .kindNotGranted)
        #expect(try refusal([grant], key: key, client: Samples.client("spiffe://farm/b")) == .notGranted)
        #expect(
            try refusal([Samples.grant([key.id], authority: Samples.otherAuthority)], key: key) == .notGranted
        )
        #expect(
            try refusal([Samples.grant([key.id], expires: Samples.now)], key: key) == .grantExpired)
        #expect(
            try refusal([Samples.grant([key.id], expires: Samples.now + .seconds(1))], key: key) == nil)
    }

    @Test func oneGrantOfSeveralIsEnough() throws {
        let key = try Samples.key()
        let grants = [
            try Samples.grant([key.id], expires: Samples.now), try Samples.grant([key.id], kinds: [.efi]),
            try Samples.grant([key.id], kinds: [.module, .cms]),
        ]
        #expect(try refusal(grants, key: key) == nil)
    }

    @Test func whoIsShutOutHasNoGrants() throws {
        let key = try Samples.key()
        let client = try Samples.client()
        let grants = [try Samples.grant([key.id])]
        #expect(try refusal(grants, key: key, denied: [.identity(client.identity)]) == .clientDenied)
        #expect(try refusal(grants, key: key, denied: [.certificate(client.certificate)]) == .clientDenied)
        #expect(
            try refusal(grants, key: key, denied: [.identity(Samples.identity("spiffe://farm/builder/8"))])
                == nil)
    }

    @Test(arguments: KeyState.allCases)
    func keysThatDoNotSign(_ state: KeyState) throws {
        let key = try Samples.key(state: state)
        let found = try refusal([Samples.grant([key.id])], key: key)
        switch state {
        case .enabled: #expect(found == nil)
        case .disabled: #expect(found == .keyDisabled)
        case .expired: #expect(found == .keyExpired)
        default: #expect(found == .keyStateForbids)
        }
    }

    @Test func timesOfTheKey() throws {
        let key = try Samples.key(expires: Samples.now + .seconds(10))
        let grants = [try Samples.grant([key.id])]
        #expect(try refusal(grants, key: key) == nil)
        #expect(try refusal(grants, key: key, at: Samples.now + .seconds(10)) == .keyExpired)
        #expect(try refusal(grants, key: key, at: Samples.now + .seconds(-61)) == .keyNotYetValid)
    }

    @Test func schemesAndPurposesDoNotMix() throws {
        let module = try Samples.key()
        let kinds = Set(SigningKind.allCases)
        for kind in kinds {
            let found = try refusal([Samples.grant([module.id], kinds: kinds)], key: module, kind: kind)
            #expect(found == (kind == .module ? nil : .keySchemeMismatch), "\(kind)")
        }
        let primary = try Samples.key("primary", scheme: .openpgp, purpose: .certifying)
        #expect(
            try refusal([Samples.grant([primary.id], kinds: kinds)], key: primary, kind: .rpm)
                == .keySchemeMismatch)
    }

    @Test func aStrangerDoesNotLearnAKeysState() throws {
        let key = try Samples.key(state: .revoked, expires: Samples.now + .seconds(-1))
        #expect(try refusal([], key: key) == .notGranted)
    }

    @Test func whatAClientMayUse() throws {
        let module = try Samples.key()
        let rpm = try Samples.key("rpm-packages", scheme: .openpgp)
        let hidden = try Samples.key("hidden-key")
        let access = AccessList(
            revision: Revision(1),
            grants: [
                try Samples.grant([module.id, rpm.id], kinds: [.module, .rpm, .efi]),
                try Samples.grant([rpm.id], kinds: [.generic]),
                try Samples.grant([hidden.id], pattern: "spiffe://other/*"),
            ])
        let usable = Gate(access, at: Samples.now).usable(
            by: try Samples.client(), of: [module, rpm, hidden])
        #expect(usable.map(\.key) == [module, rpm])
        #expect(usable.map(\.kinds) == [[.module], [.rpm, .generic]])
    }
}
