// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Keyring
import Signatures

/// Keys, clients and grants to judge, made once where making them takes long.
enum Samples {
    static let p256 = Result { try PrivateKey.generate(.p256) }
    static let ed25519 = Result { try PrivateKey.generate(.ed25519) }
    static let rsa = Result { try PrivateKey.generate(.rsa2048) }

    static let now = Moment(seconds: 1_800_000_000)
    static let authority = [UInt8](repeating: 7, count: 32)
    static let otherAuthority = [UInt8](repeating: 8, count: 32)

    static func key(
        _ name: String = "kernel-modules", scheme: SigningScheme = .module, purpose: KeyPurpose = .signing,
        state: KeyState = .enabled, created: Moment = now + .seconds(-60), expires: Moment? = nil,
        pair: PrivateKey? = nil, version: UInt32 = 1, id: KeyID? = nil
    ) throws -> KeyRecord {
        let pair = try pair ?? p256.get()
        let spki = try pair.publicKey.spki()
        let digest = Digest(hashing: spki.span, with: .sha256).bytes
        return try KeyRecord(
            id: id ?? .random(), scheme: scheme, purpose: purpose, algorithm: pair.algorithm,
            version: version,
            publicKey: spki, fingerprint: scheme == .openpgp ? Array(digest.prefix(20)) : digest,
            created: created, name: KeyName(name), state: state, expires: expires)
    }

    static func identity(_ value: String = "spiffe://farm/builder/7", sort: ClientIdentity.Sort = .uri) throws
        -> ClientIdentity
    {
        try ClientIdentity(authority: authority, sort: sort, value: value)
    }

    static func client(_ value: String = "spiffe://farm/builder/7") throws -> Client {
        Client(identity: try identity(value), certificate: [UInt8](repeating: 9, count: 32))
    }

    static func grant(
        _ keys: Set<KeyID>, kinds: Set<SigningKind> = [.module], pattern: String = "spiffe://farm/builder/*",
        authority: [UInt8] = authority, expires: Moment? = nil
    ) throws -> Grant {
        try Grant(
            id: .random(), clients: IdentityPattern(authority: authority, sort: .uri, value: pattern),
            keys: keys,
            kinds: kinds, created: now, expires: expires)
    }

    /// A ruling, as a gate gives it out.
    static func ruling(for key: KeyRecord, revision: UInt64 = 4) throws -> Ruling {
        let access = AccessList(revision: Revision(revision), grants: [try grant([key.id])])
        return try Gate(access, at: now).permit(client(), key: key, kind: .module).ruling
    }

    static func draft(
        job: JobID? = nil, key: KeyRecord, facts: [Fact] = [], content: Digest? = nil, isBlind: Bool = false,
        signature: [UInt8] = [1, 2, 3]
    ) throws -> RecordDraft {
        let claim: [UInt8] = [42]
        return try RecordDraft(
            job: job ?? .random(), ruling: ruling(for: key), scheme: key.scheme, fingerprint: key.fingerprint,
            time: now, claim: Digest(hashing: claim.span, with: .sha256), content: content, isBlind: isBlind,
            facts: facts, signature: signature)
    }
}

extension Result {
    init(_ body: () throws(Failure) -> Success) { self.init(catching: body) }
}
