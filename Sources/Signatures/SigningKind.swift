// SPDX-License-Identifier: Apache-2.0

/// What sort of artifact is signed. The raw value is the name in grants, on the wire, on the command line and in
/// records, and never changes.
public enum SigningKind: String, CaseIterable, Hashable, Sendable {
    /// An RPM or SRPM: its main header.
    case rpm
    /// An RPM or SRPM: its main header and payload together, as packages from before rpm 4.14 need it. The server sees
    /// neither, so whoever may have this signed can have anything signed.
    case rpmLegacy = "rpm-v3"
    /// Any file: a detached OpenPGP signature.
    case generic
    /// Text with an OpenPGP signature around it.
    case cleartext
    /// A kernel module: CMS without signed attributes.
    case module
    /// An EFI image: Authenticode.
    case efi
    /// Any file: detached CMS with signed attributes.
    case cms

    /// What a file can be; `rpmLegacy` is a second way to sign what is an `rpm`.
    public static let ofFiles = allCases.filter { $0 != .rpmLegacy }

    /// The one scheme that a key must have to sign this kind.
    public var scheme: SigningScheme {
        switch self {
        case .rpm, .rpmLegacy, .generic, .cleartext: .openpgp
        case .module: .module
        case .efi: .authenticode
        case .cms: .cms
        }
    }
}
