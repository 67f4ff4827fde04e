// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

/// What a side of TLS presents, whom it trusts and what it speaks.
///
/// `server` is mutual: it wants a certificate of each client unless `clients` is set to `.anonymous`.
public struct TLSSettings: Sendable {
    /// PEM text, in a file that is read again at each reload, or as it is.
    public enum PEM: Sendable, Hashable {
        case file(String)
        case text(String)
    }

    public enum Key: Sendable {
        /// A file that only its owner may read: PEM of PKCS#8, PKCS#1 or SEC1.
        case file(String)
        case key(PrivateKey)
    }

    /// Whose certificates are accepted.
    public enum Trust: Sendable, Hashable {
        /// Those of these authorities; each stands for itself, a root above it is not asked for.
        case authorities(PEM)
        /// Those of the system's list: for clients that speak to public services.
        case system
    }

    public enum Clients: Sendable {
        /// A client without an accepted certificate gets no connection.
        case certified
        /// The server does not ask who its clients are.
        case anonymous
    }

    /// A certificate that is refused whatever its authority says.
    public enum Denied: Sendable, Hashable {
        /// SHA-256 of the certificate.
        case fingerprint([UInt8])
        /// Its serial number, big-endian without leading zeros, with SHA-256 of the authority's certificate.
        case serial([UInt8], authority: [UInt8])
    }

    public var role: Connection.Role
    public var certificates: PEM?
    public var key: Key?
    public var trust: Trust?
    public var clients = Clients.certified
    /// Certificate revocation lists. When there is one, every peer's authority must have a current one.
    public var revocations: [PEM] = []
    public var denied: Set<Denied> = []
    /// SHA-256 of the public keys (SubjectPublicKeyInfo) that a server may have, besides having a trusted certificate;
    /// empty for any.
    public var pins: Set<[UInt8]> = []
    /// What is spoken, the best first; a side that names none takes what the other does.
    public var applicationProtocols: [String] = []
    /// Whether TLS 1.2 will do, with ECDHE and AEAD.
    public var allowsTLS12 = false

    public static func server(certificates: PEM?, key: Key?, trust: Trust?) -> TLSSettings {
        TLSSettings(role: .server, certificates: certificates, key: key, trust: trust)
    }

    /// `certificates` and `key` are for servers that ask for them.
    public static func client(trust: Trust?, certificates: PEM? = nil, key: Key? = nil) -> TLSSettings {
        TLSSettings(role: .client, certificates: certificates, key: key, trust: trust)
    }

    private init(role: Connection.Role, certificates: PEM?, key: Key?, trust: Trust?) {
        self.role = role
        self.certificates = certificates
        self.key = key
        self.trust = trust
    }

    /// Refuses what is not whole, before anything is read.
    func check() throws(TransportError) {
        if role == .server {
            guard certificates != nil, key != nil else {
                throw TransportError(.materialMissing, "a TLS server has no certificate or no private key")
            }
            guard clients == .anonymous || trust != nil else {
                throw TransportError(
                    .materialMissing, "a TLS server that wants client certificates has no authority for them")
            }
            guard trust != .system else {
                throw TransportError(
                    .materialInvalid, "clients are trusted by the server's own authorities only")
            }
        } else {
            guard trust != nil else {
                throw TransportError(.materialMissing, "a TLS client has no authority for its servers")
            }
            guard (certificates == nil) == (key == nil) else {
                throw TransportError(
                    .materialMissing, "a TLS client has a certificate without its private key, or the reverse"
                )
            }
        }
        for name in applicationProtocols where !(1...255).contains(name.utf8.count) {
            throw TransportError(.materialInvalid, "the name of an application protocol has 1 to 255 bytes")
        }
    }
}
