// SPDX-License-Identifier: Apache-2.0

internal import ASN1
public import Cryptography
internal import Diagnostics

/// What a certificate is for. The profile settles every extension but the key identifiers.
///
/// | profile | basic constraints | key usage | extended key usage | alternative names |
/// |---|---|---|---|---|
/// | authority | CA, path length | certificate and list signing, digital signature | | |
/// | module signer | not a CA | digital signature, non-repudiation | code signing | |
/// | image signer | not a CA | | code signing | |
/// | content signer | not a CA | digital signature, non-repudiation | e-mail protection | |
/// | timestamp signer | not a CA | digital signature, non-repudiation | time stamping, critical | |
/// | transport | not a CA | digital signature | client or server authentication | as given |
///
/// Those of an image's signer are as few as possible, since firmware and old verifiers stumble over others. A content
/// signer's certificate is good for neither code nor time stamps, or its signatures could be made to pass for such.
/// Basic constraints and key usage are critical. The old Netscape extensions are not written.
public enum CertificateProfile: Hashable, Sendable {
    /// Signs certificates and revocation lists, with at most so many further authorities below it.
    case authority(pathLength: Int?)
    /// Signs kernel modules.
    case moduleSigner
    /// Signs EFI images.
    case imageSigner
    /// Signs any files, in CMS.
    case contentSigner
    /// Signs time stamps.
    case timestampSigner
    /// Names a program of ours to its peers.
    case transport(TransportRole, [GeneralName])

    var isAuthority: Bool {
        if case .authority = self { true } else { false }
    }

    /// The profile of those who sign in a scheme; nil where they have no certificate of their own.
    public init?(signersOf scheme: SigningScheme) {
        switch scheme {
        case .module: self = .moduleSigner
        case .authenticode: self = .imageSigner
        case .cms: self = .contentSigner
        case .timestamp: self = .timestampSigner
        case .openpgp, .ca: return nil
        }
    }

    /// What a key with such a certificate signs in; nil for those of the transport.
    public var scheme: SigningScheme? {
        switch self {
        case .authority: .ca
        case .moduleSigner: .module
        case .imageSigner: .authenticode
        case .contentSigner: .cms
        case .timestampSigner: .timestamp
        case .transport: nil
        }
    }
}

/// Who a certificate of the transport is for.
public enum TransportRole: String, CaseIterable, Hashable, Sendable {
    /// Who calls: a signing client.
    case client
    /// A data-server.
    case data
    /// The control-server.
    case control

    var extendedKeyUsage: OID {
        switch self {
        case .client: "1.3.6.1.5.5.7.3.2"
        case .data, .control: "1.3.6.1.5.5.7.3.1"
        }
    }

    /// A client is known by one URI or DNS name or both, and never by two of one sort. A server is found under DNS
    /// names or addresses, and may bear one URI.
    func check(_ names: [GeneralName]) throws(SignaturesError) {
        var (uris, hosts, addresses) = (0, 0, 0)
        for name in names {
            switch name {
            case .uri: uris += 1
            case .dns: hosts += 1
            case .ip(let bytes) where bytes.count == 4 || bytes.count == 16: addresses += 1
            default:
                throw SignaturesError(.draftRefused, "the name \(name) is no URI, DNS name or IP address")
            }
        }
        guard Set(names).count == names.count else {
            throw SignaturesError(.draftRefused, "a name is given twice")
        }
        guard uris <= 1 else {
            throw SignaturesError(.draftRefused, "\(uris) URIs: a program has one identity")
        }
        switch self {
        case .client:
            guard hosts <= 1, addresses == 0, uris + hosts > 0 else {
                throw SignaturesError(
                    .draftRefused, "a client has one URI or one DNS name or one of each, and no address")
            }
        case .data, .control:
            guard hosts + addresses > 0 else {
                throw SignaturesError(.draftRefused, "a server has at least one DNS name or address")
            }
        }
    }
}

extension CertificateProfile {
    func check() throws(SignaturesError) {
        switch self {
        case .authority(let length):
            guard length.map({ 0...16 ~= $0 }) ?? true else {
                throw SignaturesError(.draftRefused, "a path length is 0 to 16")
            }
        case .moduleSigner, .imageSigner, .contentSigner, .timestampSigner: break
        case .transport(let role, let names): try role.check(names)
        }
    }

    /// The extensions, but for the key identifiers.
    func write(to list: inout ExtensionList) throws {
        switch self {
        case .authority(let pathLength):
            list.add("2.5.29.19", isCritical: true) { writer in
                writer.sequence { writer in
                    writer.boolean(true)
                    if let pathLength { writer.integer(pathLength) }
                }
            }
            list.add([.keyCertSign, .crlSign, .digitalSignature])
        case .moduleSigner:
            list.addNotAuthority()
            list.add([.digitalSignature, .nonRepudiation])
            list.addExtendedKeyUsage(SignerRules.codeSigning)
        case .imageSigner:
            list.addNotAuthority()
            list.addExtendedKeyUsage(SignerRules.codeSigning)
        case .contentSigner:
            list.addNotAuthority()
            list.add([.digitalSignature, .nonRepudiation])
            list.addExtendedKeyUsage(SignerRules.emailProtection)
        case .timestampSigner:
            list.addNotAuthority()
            list.add([.digitalSignature, .nonRepudiation])
            list.addExtendedKeyUsage(SignerRules.timeStamping, isCritical: true)
        case .transport(let role, let names):
            list.addNotAuthority()
            list.add([.digitalSignature])
            list.addExtendedKeyUsage(role.extendedKeyUsage)
            try list.add("2.5.29.17") { writer in
                try writer.sequence { writer in
                    for name in names { try name.write(to: &writer) }
                }
            }
        }
    }
}
