// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// An OpenPGP certificate: a public key with its user ids and subkeys (RFC 4880, 11.1, version 4), read strictly.
///
/// ```
/// certificate = public-key *signature 1*user *subkey
/// user        = ( user-id / user-attribute ) *signature
/// subkey      = public-subkey *signature
/// ```
/// What the owner said about his keys counts when his signature holds; what others signed is kept and not looked at.
/// A private key is refused.
public struct OpenPGPCertificate: Hashable, Sendable {
    /// A key and what its owner said about it.
    public struct Component: Hashable, Sendable {
        public let key: OpenPGPKey
        /// Whether a signature of the owner's ties it to the certificate.
        public internal(set) var isBound = false
        public internal(set) var maySign = false
        public internal(set) var mayCertify = false
        /// Seconds since 1970; `nil` without end.
        public internal(set) var expires: Int64?
        public internal(set) var revocation: Revocation?
    }

    /// A revocation by the owner.
    public struct Revocation: Hashable, Sendable {
        /// Seconds since 1970.
        public let created: Int64
        /// The key is out of use or replaced and what it signed before still holds; else it may be in wrong hands.
        public let isSoft: Bool
    }

    public let primary: Component
    public let subkeys: [Component]
    /// Those that the owner signed and did not revoke.
    public let userIDs: [String]
    /// The packets as they were read.
    public let encoded: [UInt8]

    /// The primary key's fingerprint, 20 bytes.
    public var fingerprint: [UInt8] { primary.key.fingerprint }
    /// The primary key's id, 8 bytes.
    public var keyID: [UInt8] { primary.key.keyID }
    public var armored: String { OpenPGPArmor.publicKey.encode(encoded) }

    /// Bytes of one certificate; more are refused.
    public static let largest = 1 << 20
    /// Bytes of a file of certificates.
    public static let largestFile = 16 << 20

    // MARK: Reading

    /// One certificate, armored or not, and nothing else.
    public init(_ bytes: Span<UInt8>) throws {
        let all = try Self.all(in: bytes, limit: 1)
        guard let first = all.first else { throw Self.refused("none is there") }
        self = first
    }

    /// All certificates of a file, armored or not; at least one, at most `limit`.
    public static func all(in bytes: Span<UInt8>, limit: Int = 100) throws -> [OpenPGPCertificate] {
        guard !bytes.isEmpty, bytes.count <= largestFile else {
            throw refused("a file of \(bytes.count) bytes")
        }
        let isBinary = bytes[0] & 0x80 != 0
        let blocks =
            isBinary ? [Array(copying: bytes)] : try OpenPGPArmor.publicKey.decode(bytes, limit: limit)
        var found: [OpenPGPCertificate] = []
        for block in blocks {
            for (packets, encoded) in try split(block) {
                guard found.count < limit else { throw refused("more than \(limit) in one file") }
                found.append(try OpenPGPCertificate(packets, encoded))
            }
        }
        guard !found.isEmpty else { throw refused("none is there") }
        return found
    }

    /// The packets of each certificate.
    private static func split(_ bytes: [UInt8]) throws -> [([OpenPGPPacket], [UInt8])] {
        var all: [([OpenPGPPacket], [UInt8])] = []
        var packets: [OpenPGPPacket] = []
        var begin = 0
        var reader = ByteReader(bytes.span)
        while !reader.isAtEnd {
            let start = reader.offset
            let packet: OpenPGPPacket
            do throws(BytesError) {
                packet = try OpenPGPPacket(reading: &reader)
            } catch {
                throw refused("\(error)")
            }
            switch packet.tag {
            case PacketTag.secretKey, PacketTag.secretSubkey: throw refused("it is a private key")
            case PacketTag.publicKey:
                if !packets.isEmpty { all.append((packets, Array(bytes[begin..<start]))) }
                (packets, begin) = ([packet], start)
            default:
                guard reader.offset - begin <= largest else { throw refused("more than \(largest) bytes") }
                guard !packets.isEmpty else { throw refused("it does not begin with a public key") }
                packets.append(packet)
            }
        }
        if !packets.isEmpty { all.append((packets, Array(bytes[begin...]))) }
        return all
    }

    private init(_ packets: [OpenPGPPacket], _ encoded: [UInt8]) throws {
        do {
            let bindings = try KeyBindings(packets)
            (primary, subkeys, userIDs) = (bindings.primary, bindings.subkeys, bindings.userIDs)
        } catch let error as BytesError {
            throw Self.refused("\(error)")
        } catch let error as CryptographyError {
            throw Self.refused("\(error.message)")
        }
        self.encoded = encoded
    }

    static func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.openPGPCertificateMalformed, "an OpenPGP certificate: \(reason)")
    }

    // MARK: Signing

    /// The component that has this key, when it may sign documents at that time (seconds since 1970).
    public func signer(for key: PublicKey, at time: Int64) throws -> OpenPGPSigner {
        guard let found = ([primary] + subkeys).first(where: { $0.key.publicKey == key }) else {
            throw SignaturesError(
                .signerMismatch, "the certificate \(Hex.encode(fingerprint, .upper)) has no such key")
        }
        let expires = [primary.expires, found.expires].compactMap { $0 }.min()
        let signer = OpenPGPSigner(key: found.key, expires: expires)
        guard primary.isBound, found.isBound, found.maySign, primary.revocation == nil,
            found.revocation == nil, signer.isValid(at: time), primary.key.created <= time
        else {
            throw SignaturesError(
                .draftRefused, "the OpenPGP key \(signer) is not bound, not for signing, not valid or revoked"
            )
        }
        return signer
    }
}
