// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Secrets

/// A private key or subkey as a packet (RFC 4880, 5.5.3), read from locked memory: the public part, and where the
/// secret one lies.
///
/// ```
/// body    = public usage                          ; public: as in OpenPGPKey
/// open    = public %x00 numbers checksum          ; checksum: the sum of the octets of numbers, 2 octets
/// locked  = public %xFE cipher s2k iv ciphertext  ; ciphertext: numbers and their SHA-1
/// s2k     = %x03 hash salt count                  ; salt: 8 octets, count: 1 octet
/// stub    = public OCTET OCTET %x65 OCTET "GNU" %x01
/// card    = public OCTET OCTET %x65 OCTET "GNU" %x02 length serial
/// numbers = mpi mpi mpi mpi                       ; RSA: d p q, u = 1/p mod q
///         / mpi                                   ; ECDSA: the scalar; EdDSA: the 32 octets of RFC 8032
/// ```
struct SecretKeyPacket {
    enum Protection {
        case open
        case locked(SecretKeyLock)
        /// The private half is not there, and why.
        case absent(String)
    }

    let key: OpenPGPKey
    let protection: Protection
    /// Where in the file the numbers or their ciphertext lie.
    let secret: Range<Int>

    /// The body at a place of the file.
    init(_ file: Span<UInt8>, at place: Range<Int>) throws {
        let bytes = file.extracting(place)
        var reader = ByteReader(bytes)
        try Self.skipPublic(&reader)
        let body = Array(copying: bytes.extracting(first: reader.offset))
        key = try OpenPGPKey(body: body)
        switch try reader.readUInt8() {
        case 0: protection = .open
        case let usage:
            let cipher = try reader.readUInt8()
            if reader.peek() == 101 {
                protection = .absent(try Self.gnu(&reader))
            } else {
                // What is neither 254 nor 255 is the number of a cipher itself, with a key that is MD5's.
                guard usage == 254 else {
                    throw Self.refused(
                        usage == 255
                            ? "a private key whose ciphertext has a weak checksum"
                            : "a private key that is locked in the way of PGP 2")
                }
                protection = .locked(try SecretKeyLock(cipher, reading: &reader))
            }
        }
        secret = place.lowerBound + reader.offset..<place.upperBound
        if case .absent = protection { try reader.expectEnd() }
    }

    private static func skipPublic(_ reader: inout ByteReader) throws {
        try reader.skip(5)
        let numbers: Int
        switch try reader.readUInt8() {
        case PublicKeyNumber.rsa, 2, PublicKeyNumber.rsaSign: numbers = 2
        case 16: numbers = 3
        case 17: numbers = 4
        case let other where [18, PublicKeyNumber.ecdsa, PublicKeyNumber.eddsa].contains(other):
            try reader.skip(Int(try reader.readUInt8()))
            _ = try MPI.read(&reader)
            // ECDH names how a key is derived.
            if other == 18 { try reader.skip(Int(try reader.readUInt8())) }
            return
        case let other: throw refused("a private key of the public-key algorithm \(other)")
        }
        for _ in 0..<numbers { _ = try MPI.read(&reader) }
    }

    /// GnuPG's own extension: a key without its private half.
    private static func gnu(_ reader: inout ByteReader) throws -> String {
        try reader.skip(2)
        guard try reader.readArray(3) == Array("GNU".utf8) else {
            throw BytesError(.badCharacter, at: reader.offset)
        }
        switch try reader.readUInt8() {
        case 1: return "the file has a stub in its place (GnuPG: gnu-dummy)"
        case 2:
            let serial = try reader.readArray(Int(try reader.readUInt8()))
            return "it is on the card \(Hex.encode(serial, .upper))"
        default: throw BytesError(.badCharacter, at: reader.offset - 1)
        }
    }

    static func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.keyEncryptionNotSupported, reason)
    }

    // MARK: The private half

    /// The key, vetted as `KeyFile` does; its halves fit.
    func privateKey(in file: Span<UInt8>, passphrase: Span<UInt8>?) throws -> PrivateKey {
        let made: PrivateKey
        switch protection {
        case .absent(let reason):
            throw SignaturesError(.keyNotSupported, "the private half of \(name) is not there: \(reason)")
        case .open:
            let numbers = try Self.checked(file.extracting(secret))
            made = try key(from: file.extracting(secret).extracting(first: numbers))
        case .locked(let lock):
            guard let passphrase else {
                throw SignaturesError(.passphraseMissing, "the key \(name) is locked with a passphrase")
            }
            let plain = try lock.open(file.extracting(secret), passphrase)
            made = try key(from: plain.bytes)
        }
        let vetted = try KeyFile(made.pkcs8()).key
        guard vetted.publicKey == key.publicKey else {
            throw SignaturesError(.keyPairMismatch, "the halves of the key \(name) do not fit together")
        }
        return vetted
    }

    private var name: String { Hex.encode(key.fingerprint, .upper) }

    /// How many octets stand before the checksum, which has to be right.
    private static func checked(_ bytes: Span<UInt8>) throws -> Int {
        guard bytes.count > 2 else { throw BytesError(.truncated, at: bytes.count) }
        let count = bytes.count - 2
        var sum: UInt16 = 0
        for index in 0..<count { sum &+= UInt16(bytes[index]) }
        guard sum == UInt16(bytes[count]) << 8 | UInt16(bytes[count + 1]) else {
            throw SignaturesError(.keyMalformed, "a private key with a wrong checksum")
        }
        return count
    }

    private func key(from numbers: Span<UInt8>) throws -> PrivateKey {
        guard let publicKey = key.publicKey else {
            throw SignaturesError(.keyNotSupported, "the key \(name) is of a sort that does not sign here")
        }
        var reader = ByteReader(numbers)
        let made: PrivateKey
        switch try publicKey.components() {
        case .rsa(let modulus, let exponent):
            let (d, p) = (try MPI.place(&reader), try MPI.place(&reader))
            let (q, _) = (try MPI.place(&reader), try MPI.place(&reader))
            made = try .rsa(
                modulus: modulus.span, exponent: exponent.span, privateExponent: numbers.extracting(d),
                firstPrime: numbers.extracting(p), secondPrime: numbers.extracting(q))
        case .ecdsa(let algorithm, _, _):
            made = try .ecdsa(algorithm, scalar: numbers.extracting(MPI.place(&reader)))
        case .ed25519:
            let place = try MPI.place(&reader)
            guard place.count <= 32 else { throw BytesError(.overLimit, at: 0) }
            // As a number it lost the zeros that it began with.
            let seed = try SecretBytes(capacity: 32) { output in
                for _ in place.count..<32 { output.append(0) }
                try output.append(copying: numbers.extracting(place))
            }
            made = try .ed25519(seed: seed.bytes)
        }
        try reader.expectEnd()
        return made
    }
}

/// How a private key is locked under a passphrase.
struct SecretKeyLock {
    let cipherNumber: UInt8
    let digest: DigestAlgorithm
    let salt: [UInt8]
    let count: UInt8
    let iv: [UInt8]

    /// AES-256, SHA-256 and as many octets as can be said.
    init(salt: [UInt8], iv: [UInt8], count: UInt8 = 255) {
        (cipherNumber, digest) = (9, .sha256)
        self.count = count
        self.salt = salt
        self.iv = iv
    }

    init(_ cipher: UInt8, reading reader: inout ByteReader) throws {
        guard 7...9 ~= cipher else {
            throw SecretKeyPacket.refused(
                "a private key that is locked with the cipher \(cipher); AES is taken")
        }
        let sort = try reader.readUInt8()
        guard sort == 3 else {
            throw SecretKeyPacket.refused(
                "a private key whose passphrase is stretched by the method \(sort); iterated and salted is taken"
            )
        }
        let number = try reader.readUInt8()
        guard let digest = DigestAlgorithm(openPGPNumber: number), digest != .weakMD5 else {
            throw SecretKeyPacket.refused(
                "a private key whose passphrase is hashed with the function \(number)")
        }
        self.digest = digest
        cipherNumber = cipher
        salt = try reader.readArray(8)
        count = try reader.readUInt8()
        iv = try reader.readArray(AESCFB.blockCount)
    }

    /// Everything between the public part and the ciphertext.
    var encoded: [UInt8] { [254, cipherNumber, 3, digest.openPGPNumber] + salt + [count] + iv }

    func key(_ passphrase: Span<UInt8>) throws -> SecretBytes {
        try IteratedSalt.key(
            from: passphrase, salt: salt, count: IteratedSalt.count(coded: count), digest: digest,
            length: [16, 24, 32][Int(cipherNumber) - 7])
    }

    /// The numbers, whose hash has to be right.
    func open(_ ciphertext: Span<UInt8>, _ passphrase: Span<UInt8>) throws -> SecretBytes {
        guard ciphertext.count > 20, ciphertext.count <= 1 << 16 else {
            throw BytesError(.truncated, at: ciphertext.count)
        }
        let plain = try AESCFB.decrypt(ciphertext, key: key(passphrase), iv: iv.span)
        let count = plain.count - 20
        let hash = try Digest(ofSecret: plain.bytes.extracting(first: count), with: .weakSHA1).bytes
        guard ConstantTime.areEqual(hash.span, plain.bytes.extracting(droppingFirst: count)) else {
            throw SignaturesError(.passphraseWrong, "the passphrase does not open the key")
        }
        return try SecretBytes(copying: plain.bytes.extracting(first: count))
    }
}

extension MPI {
    /// Where the next number's octets lie.
    static func place(_ reader: inout ByteReader) throws(BytesError) -> Range<Int> {
        let start = reader.offset
        let bits = Int(try reader.readUInt16())
        let bytes = try reader.readSpan((bits + 7) / 8, limit: longest)
        let isCanonical = bytes.isEmpty ? bits == 0 : bytes.count * 8 - bytes[0].leadingZeroBitCount == bits
        guard isCanonical else { throw BytesError(.notCanonical, at: start) }
        return start + 2..<reader.offset
    }
}
