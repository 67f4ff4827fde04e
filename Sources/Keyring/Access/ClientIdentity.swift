// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// Who a client is: the authority that vouched for him, the sort of name, and the name. Names of different sorts or
/// authorities are never equal.
///
/// ```
/// text = sort ":" value "@" 64HEXDIG     ; the authority's fingerprint, lower case
/// ```
public struct ClientIdentity: Hashable, Sendable, CustomStringConvertible {
    public enum Sort: String, CaseIterable, Sendable {
        case uri
        case dns
        /// The subject's common name, where the settings allow it.
        case cn
    }

    /// SHA-256 of the certificate of the authority that issued the client's.
    public let authority: [UInt8]
    public let sort: Sort
    public let value: String

    public static let longestValue = 512

    public init(authority: [UInt8], sort: Sort, value: String) throws(KeyringError) {
        guard authority.count == 32 else {
            throw KeyringError(
                .invalidArgument, "authority: \(authority.count) bytes, a fingerprint has 32")
        }
        guard Self.isName(value) else {
            throw KeyringError(
                .invalidArgument,
                "identity: a name has 1 to \(Self.longestValue) visible ASCII characters")
        }
        self.authority = authority
        self.sort = sort
        self.value = sort == .dns ? value.lowercased() : value
    }

    /// The identity that a verified certificate gives: its URI, or its DNS name, or its common name where that is
    /// allowed. Several of one sort are refused, since nobody can tell which of them a grant means.
    public init(
        authority: [UInt8], uris: [String], dnsNames: [String], commonNames: [String],
        allowingCommonNames: Bool = false
    ) throws(KeyringError) {
        let sorts: [(Sort, [String])] =
            [(.uri, uris), (.dns, dnsNames)] + (allowingCommonNames ? [(.cn, commonNames)] : [])
        for (sort, names) in sorts where names.count > 1 {
            throw KeyringError(
                .identityAmbiguous,
                "the client certificate has \(names.count) names of the sort \(sort.rawValue)")
        }
        for (sort, names) in sorts {
            if let name = names.first {
                try self.init(authority: authority, sort: sort, value: name)
                return
            }
        }
        throw KeyringError(
            .identityMissing,
            commonNames.isEmpty || allowingCommonNames
                ? "the client certificate has no name" : "the client certificate has a common name alone")
    }

    public var description: String { "\(sort.rawValue):\(value)@\(Hex.encode(authority))" }

    static func isName(_ value: String) -> Bool {
        (1...longestValue).contains(value.utf8.count) && value.utf8.allSatisfy { 0x20...0x7e ~= $0 }
            && value.utf8.first != 0x20 && value.utf8.last != 0x20
    }
}
