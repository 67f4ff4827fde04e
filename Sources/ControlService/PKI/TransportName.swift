// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Signatures
internal import Transport

/// Who a certificate of the transport is for, and where it is found.
///
/// ```
/// uri  = "signet://" role "/" name
/// name = 1*64( %x61-7A / DIGIT / "-" / "_" / "." )     ; a letter or digit first
/// ```
public struct TransportName: Hashable, Sendable, CustomStringConvertible {
    public let role: TransportRole
    public let name: String
    /// DNS names and addresses, of a server alone.
    public let hosts: [GeneralName]

    public init(_ role: TransportRole, _ name: String, hosts: [String] = []) throws(ControlError) {
        guard Self.isName(name) else {
            throw ControlError(
                .invalidArgument,
                "name: 1 to 64 small letters, digits, \"-\", \"_\" and \".\", a letter or digit first")
        }
        guard role != .client || hosts.isEmpty else {
            throw ControlError(.invalidArgument, "host: a client is not found under one; leave it out")
        }
        guard role == .client || !hosts.isEmpty else {
            throw ControlError(
                .invalidArgument, "host: a server needs a DNS name or an address under which clients find it")
        }
        self.role = role
        self.name = name
        var names: [GeneralName] = []
        for host in hosts { names.append(try Self.host(host)) }
        self.hosts = names
    }

    public var uri: String { "signet://\(role.rawValue)/\(name)" }
    public var description: String { uri }

    /// The subject alternative names.
    var alternatives: [GeneralName] { [.uri(uri)] + hosts }

    private static func isName(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first else { return false }
        return isLetterOrDigit(first)
            && text.utf8.allSatisfy {
                isLetterOrDigit($0) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains($0)
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { 0x61...0x7a ~= byte || 0x30...0x39 ~= byte }

    private static func host(_ text: String) throws(ControlError) -> GeneralName {
        switch Address(text, port: 0) {
        case .ip4(let bits, _):
            return .ip((0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) })
        case .ip6(let high, let low, _, _):
            return .ip(
                [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
                })
        default: break
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-")
                && label.utf8.last != UInt8(ascii: "-")
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
        // A last label of digits is half an address, which nobody looks up.
        let isName = labels.last.map { !$0.utf8.allSatisfy { 0x30...0x39 ~= $0 } } ?? false
        guard (1...253).contains(text.utf8.count), areLabels, isName else {
            throw ControlError(
                .invalidArgument,
                "host: neither an address nor a DNS name in small letters: \(text.prefix(80))")
        }
        return .dns(text)
    }
}
