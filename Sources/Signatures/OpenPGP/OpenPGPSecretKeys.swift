// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics
public import Secrets

/// The private keys of one certificate, as `gpg --export-secret-keys` writes them (RFC 4880, 11.2), read strictly.
///
/// ```
/// file = secret-key *signature 1*( user-id *signature ) *( secret-subkey *signature )
/// ```
/// The file is armored or not and lies in locked memory, and so does all that is secret of it until OpenSSL has it. What
/// is locked is so with AES under an iterated and salted passphrase, and hashed with SHA-1 against damage, as GnuPG does
/// it; other ways are refused by name. The file may lack private halves, whose keys are offline or on a card: `key` says
/// so when one is asked for. Keys that do not sign, such as those for encryption, are left locked.
///
/// ```swift
/// let keys = try OpenPGPSecretKeys(file, passphrase: passphrase)
/// let (key, signer) = try keys.signingKey(at: now)
/// ```
public struct OpenPGPSecretKeys: Sendable {
    /// The public half of it all, as it would be exported.
    public let certificate: OpenPGPCertificate
    private var keys: [OpenPGPKey: PrivateKey] = [:]
    private var absent: [OpenPGPKey: String] = [:]

    /// Bytes of a file; more are refused.
    public static let largest = 1 << 20

    public init(_ file: borrowing SecretBytes, passphrase: borrowing SecretBytes) throws {
        try self.init(file.bytes, passphrase.bytes)
    }

    /// Reads keys that are not locked.
    public init(_ file: borrowing SecretBytes) throws {
        try self.init(file.bytes, nil)
    }

    private init(_ file: Span<UInt8>, _ passphrase: Span<UInt8>?) throws {
        guard !file.isEmpty, file.count <= Self.largest else {
            throw SignaturesError(.keyMalformed, "a file of \(file.count) bytes")
        }
        do {
            if file[0] & 0x80 != 0 {
                try self.init(packets: file, passphrase)
            } else {
                let bytes = try SecretArmor.decode(file)
                try self.init(packets: bytes.bytes, passphrase)
            }
        } catch let error as BytesError {
            throw SignaturesError(.keyMalformed, "an OpenPGP private key: \(error)")
        }
    }

    private init(packets file: Span<UInt8>, _ passphrase: Span<UInt8>?) throws {
        var publicPackets: [OpenPGPPacket] = []
        var secrets: [SecretKeyPacket] = []
        var reader = ByteReader(file)
        while !reader.isAtEnd {
            let start = reader.offset
            let (tag, length) = try OpenPGPPacket.readHeader(&reader)
            guard length <= reader.remaining else { throw BytesError(.truncated, at: start) }
            switch tag {
            case PacketTag.secretKey, PacketTag.secretSubkey:
                guard (tag == PacketTag.secretKey) == secrets.isEmpty, secrets.count < 100 else {
                    throw SignaturesError(
                        .keyFileAmbiguous, "a file with more than one OpenPGP key, or a part of one")
                }
                let secret = try SecretKeyPacket(file, at: reader.offset..<reader.offset + length)
                try reader.skip(length)
                secrets.append(secret)
                let publicTag = tag == PacketTag.secretKey ? PacketTag.publicKey : PacketTag.publicSubkey
                publicPackets.append(OpenPGPPacket(tag: publicTag, body: secret.key.body))
            case PacketTag.publicKey:
                throw SignaturesError(
                    .keyMalformed, "a public key; `gpg --export-secret-keys` writes private ones")
            default:
                guard !secrets.isEmpty else {
                    throw SignaturesError(.keyMalformed, "a file that does not begin with a private key")
                }
                publicPackets.append(
                    OpenPGPPacket(tag: tag, body: try reader.readArray(length, limit: OpenPGPPacket.largest)))
            }
        }
        let encoded = publicPackets.flatMap(\.encoded)
        certificate = try OpenPGPCertificate(encoded.span)
        try take(secrets, file, passphrase)
    }

    private mutating func take(
        _ secrets: [SecretKeyPacket], _ file: Span<UInt8>, _ passphrase: Span<UInt8>?
    ) throws {
        var isLocked = false
        for secret in secrets {
            if case .absent(let reason) = secret.protection {
                absent[secret.key] = reason
                continue
            }
            if case .locked = secret.protection { isLocked = true }
            // Keys that encrypt are of no use here.
            guard secret.key.publicKey != nil else { continue }
            keys[secret.key] = try secret.privateKey(in: file, passphrase: passphrase)
        }
        if passphrase != nil, !isLocked, !keys.isEmpty {
            throw SignaturesError(.passphraseUnneeded, "none of the private keys is locked")
        }
        guard !keys.isEmpty else {
            let reason = secrets.lazy.compactMap { [absent] in absent[$0.key] }.first
            throw SignaturesError(
                .keyNotSupported,
                reason.map { "no private half is there: \($0)" } ?? "no private key of it signs here")
        }
    }

    /// Keys that are at hand already, to be locked and written. Each is one of the certificate's.
    public init(_ certificate: OpenPGPCertificate, keys given: [PrivateKey]) throws {
        self.certificate = certificate
        for key in given {
            let components = [certificate.primary] + certificate.subkeys
            guard let own = components.first(where: { $0.key.publicKey == key.publicKey }) else {
                throw SignaturesError(.keyPairMismatch, "a private key that is none of the certificate's")
            }
            keys[own.key] = key
        }
    }

    // MARK: Using them

    /// The private half of one of the certificate's keys.
    public func key(_ key: OpenPGPKey) throws -> PrivateKey {
        if let found = keys[key] { return found }
        let reason = absent[key] ?? "it is not in the file, or does not sign"
        throw SignaturesError(
            .keyNotSupported, "the private half of \(Hex.encode(key.fingerprint, .upper)): \(reason)")
    }

    /// The key that signs documents at that time (seconds since 1970): the newest subkey that may, else the primary.
    public func signingKey(at time: Int64) throws -> (PrivateKey, OpenPGPSigner) {
        let subkeys = certificate.subkeys.sorted { $0.key.created > $1.key.created }
        var reason: (any Error)?
        for component in subkeys + [certificate.primary] where component.maySign {
            do {
                guard let publicKey = component.key.publicKey else { continue }
                let signer = try certificate.signer(for: publicKey, at: time)
                return (try key(component.key), signer)
            } catch {
                reason = reason ?? error
            }
        }
        throw reason ?? SignaturesError(.draftRefused, "no key of the certificate may sign documents")
    }

    // MARK: Writing

    /// The packets with each private half locked under the passphrase, for `gpg --import`; a stub stands where one is not
    /// at hand. AES-256 under SHA-256 of 65,011,712 octets, as slow as the format allows.
    public func locked(under passphrase: borrowing SecretBytes) throws -> [UInt8] {
        try locked(under: passphrase, count: 255)
    }

    func locked(under passphrase: borrowing SecretBytes, count: UInt8) throws -> [UInt8] {
        guard passphrase.count > 0 else {
            throw SignaturesError(.passphraseMissing, "private keys are written under a passphrase alone")
        }
        var encoded: [UInt8] = []
        for section in try OpenPGPSections(certificate).sections {
            var packets = section.packets
            if let tag = Self.secretTags[section.subject.tag] {
                let key = try OpenPGPKey(body: section.subject.body)
                packets[0] = OpenPGPPacket(
                    tag: tag,
                    body: key.body + (try keys[key].map { try Self.lock($0, passphrase, count) } ?? Self.stub)
                )
            }
            encoded += packets.flatMap(\.encoded)
        }
        return encoded
    }

    private static let secretTags = [
        PacketTag.publicKey: PacketTag.secretKey, PacketTag.publicSubkey: PacketTag.secretSubkey,
    ]
    private static let stub: [UInt8] = [255, 0, 101, 0] + Array("GNU".utf8) + [1]

    private static func lock(_ key: PrivateKey, _ passphrase: borrowing SecretBytes, _ turns: UInt8) throws
        -> [UInt8]
    {
        let numbers = try key.secretNumbers()
        let width = key.algorithm.bits / 8
        let count = numbers.count / width
        var starts: [Int] = []
        for index in 0..<count {
            var start = index * width
            while start < (index + 1) * width, numbers.bytes[start] == 0 { start += 1 }
            starts.append(start)
        }
        let written = try SecretBytes(capacity: numbers.count + 2 * count) { output in
            for (index, start) in starts.enumerated() {
                let number = numbers.bytes.extracting(start..<(index + 1) * width)
                let bits = number.isEmpty ? 0 : number.count * 8 - number[0].leadingZeroBitCount
                output.append(UInt8(truncatingIfNeeded: bits >> 8))
                output.append(UInt8(truncatingIfNeeded: bits))
                try output.append(copying: number)
            }
        }
        let hash = try Digest(ofSecret: written.bytes, with: .weakSHA1).bytes
        let plain = try SecretBytes(capacity: written.count + hash.count) { output in
            try output.append(copying: written.bytes)
            try output.append(copying: hash.span)
        }
        let lock = SecretKeyLock(
            salt: try Random.bytes(8), iv: try Random.bytes(AESCFB.blockCount), count: turns)
        return lock.encoded
            + (try AESCFB.encrypt(plain.bytes, key: lock.key(passphrase.bytes), iv: lock.iv.span))
    }
}
