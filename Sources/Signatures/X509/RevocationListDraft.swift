// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// A list of revoked certificates (RFC 5280, section 5, version 2) before it is signed, with its number and the key
/// identifier of its issuer. The grammar stands at `CertificateRevocationList`.
public struct RevocationListDraft: Sendable {
    /// One revoked certificate.
    public struct Entry: Hashable, Sendable {
        /// Big endian, as `Certificate.serialNumber` has it.
        public var serialNumber: [UInt8]
        public var date: ASN1Time
        /// `unspecified` is not written, as the standard asks.
        public var reason: CertificateRevocationList.Reason

        public init(
            serialNumber: [UInt8], date: ASN1Time,
            reason: CertificateRevocationList.Reason = .unspecified
        ) {
            self.serialNumber = serialNumber
            self.date = date
            self.reason = reason
        }
    }

    public var issuer: Certificate
    /// Each list of an issuer has a greater number than the one before.
    public var number: UInt64
    public var thisUpdate: ASN1Time
    public var nextUpdate: ASN1Time
    public var entries: [Entry]

    public init(
        issuer: Certificate, number: UInt64, thisUpdate: ASN1Time, nextUpdate: ASN1Time, entries: [Entry]
    ) {
        self.issuer = issuer
        self.number = number
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.entries = entries
    }

    public func signed(by handle: SigningHandle) throws -> CertificateRevocationList {
        try issuer.checkSigns(with: handle, .crlSign)
        guard thisUpdate < nextUpdate else { throw refused("it ends before it begins") }
        guard Set(entries.map(\.serialNumber)).count == entries.count else {
            throw refused("a serial number is listed twice")
        }
        for entry in entries {
            guard 1...20 ~= entry.serialNumber.count, entry.serialNumber.first != 0 else {
                throw refused("a serial number has 1 to 20 bytes and does not begin with a zero")
            }
            guard entry.reason != .removeFromList else {
                throw refused("only a delta list takes a certificate off the list")
            }
        }
        let encoded = try SignedStructure.make(tbs: try body(handle), by: handle)
        return try CertificateRevocationList(der: encoded.span)
    }

    private func body(_ handle: SigningHandle) throws -> [UInt8] {
        var extensions = ExtensionList()
        extensions.addAuthorityKey(
            try issuer.subjectKeyIdentifier ?? handle.publicKey.identifier())
        var magnitude = ByteWriter()
        magnitude.write(number)
        extensions.add("2.5.29.20") { $0.integer(magnitude: magnitude.bytes) }
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.integer(1)
            try handle.algorithm.writeIdentifier(to: &writer)
            writer.encoded(issuer.subject.der)
            writer.time(thisUpdate)
            writer.time(nextUpdate)
            if !entries.isEmpty {
                writer.sequence { writer in
                    for entry in entries { Self.write(entry, to: &writer) }
                }
            }
            writer.explicit(0) { $0.sequence { $0.encoded(extensions.encoded) } }
        }
        return writer.bytes
    }

    private static func write(_ entry: Entry, to writer: inout DERWriter) {
        writer.sequence { writer in
            writer.integer(magnitude: entry.serialNumber)
            writer.time(entry.date)
            guard entry.reason != .unspecified else { return }
            var extensions = ExtensionList()
            extensions.add("2.5.29.21") { $0.integer(entry.reason.rawValue, .enumerated) }
            writer.sequence { $0.encoded(extensions.encoded) }
        }
    }

    private func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.draftRefused, "a revocation list of \(issuer.subject): \(reason)")
    }
}
