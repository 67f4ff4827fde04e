// SPDX-License-Identifier: Apache-2.0

/// Who a certificate, proven and verified, says the peer is. The sorts of names are never mixed, and several of one
/// sort stay several, for a policy above to refuse.
public struct PeerIdentity: Hashable, Sendable {
    /// The certificate authority that issued the certificate.
    public struct Authority: Hashable, Sendable {
        /// Its distinguished name (RFC 4514).
        public let name: String
        /// SHA-256 of its certificate.
        public let fingerprint: [UInt8]
    }

    public let authority: Authority
    /// Subject alternative names that are URIs, and DNS names.
    public let uris: [String]
    public let dnsNames: [String]
    /// The common names of the subject.
    public let commonNames: [String]
    /// SHA-256 of the certificate.
    public let fingerprint: [UInt8]
    /// The serial number, big-endian, without leading zeros.
    public let serial: [UInt8]
    /// Its validity, in seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64
}
