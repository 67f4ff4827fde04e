// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// The address that a client calls from: 4 or 16 bytes. An IPv4 address inside IPv6 is the IPv4 address.
public struct SourceAddress: Hashable, Sendable {
    let bytes: [UInt8]

    public init(ip4 bits: UInt32) { bytes = Self.split(UInt64(bits), count: 4) }

    public init(ip6High high: UInt64, low: UInt64) {
        bytes =
            high == 0 && low >> 32 == 0xffff
            ? Self.split(low & 0xffff_ffff, count: 4) : Self.split(high, count: 8) + Self.split(low, count: 8)
    }

    private static func split(_ value: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
}

/// A block of addresses.
///
/// ```
/// network = ip4 [ "/" 0..32 ] / ip6 [ "/" 0..128 ]      ; without a length the one address
/// ip4     = 4 numbers of 0 to 255 with dots between them, without leading zeros
/// ip6     = RFC 4291, section 2.2, without an IPv4 address inside; written as RFC 5952 has it
/// ```
/// The bits behind the length have to be 0: whoever writes others means something else than he gets.
public struct Network: Hashable, Comparable, Sendable, CustomStringConvertible {
    let address: [UInt8]
    let length: Int

    public init(_ text: String) throws(KeyringError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = Self.ip4(parts[0]) ?? Self.ip6(parts[0]) else {
            throw Self.refused(text, "no IPv4 and no IPv6 address")
        }
        var length = address.count * 8
        if parts.count == 2 {
            guard let number = Self.decimal(parts[1]), number <= length else {
                throw Self.refused(text, "the length behind \"/\" is 0 to \(length)")
            }
            length = number
        }
        self.address = address
        self.length = length
        guard address == Self.masked(address, length) else {
            throw Self.refused(
                text,
                "there are bits behind its length; \(Self.text(Self.masked(address, length), length)) is the network"
            )
        }
    }

    public var description: String { Self.text(address, length) }

    public func contains(_ source: SourceAddress) -> Bool {
        source.bytes.count == address.count && Self.masked(source.bytes, length) == address
    }

    public static func < (one: Network, other: Network) -> Bool {
        (one.address.count, one.description) < (other.address.count, other.description)
    }

    // MARK: Parts

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.indices.map { place in
            let kept = min(8, max(0, length - place * 8))
            return kept == 0 ? 0 : bytes[place] & (0xff << UInt8(8 - kept))
        }
    }

    private static func decimal(_ text: Substring) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            text.utf8.count == 1 || text.utf8.first != 0x30
        else { return nil }
        return Int(text)
    }

    private static func ip4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { decimal($0).flatMap { UInt8(exactly: $0) } }
        return bytes.count == 4 ? bytes : nil
    }

    private static func ip6(_ text: Substring) -> [UInt8]? {
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        // "::" at an end leaves an empty group more than one in the middle.
        if groups.count > 2, groups[0].isEmpty, groups[1].isEmpty { groups.removeFirst() }
        if groups.count >= 2, groups[groups.count - 1].isEmpty, groups[groups.count - 2].isEmpty {
            groups.removeLast()
        }
        let gaps = groups.indices.filter { groups[$0].isEmpty }
        guard gaps.isEmpty ? groups.count == 8 : gaps.count == 1 && groups.count <= 8 && text.contains("::")
        else {
            return nil
        }
        var words: [UInt16] = []
        for group in groups {
            if group.isEmpty {
                words += [UInt16](repeating: 0, count: 9 - groups.count)
            } else {
                guard group.utf8.count <= 4, group.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }),
                    let word = UInt16(group, radix: 16)
                else { return nil }
                words.append(word)
            }
        }
        return words.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    private static func text(_ bytes: [UInt8], _ length: Int) -> String {
        guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") + "/\(length)" }
        let words = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        // The longest run of zeros, the first of several, and none of a single one.
        var run = 0..<0
        var start = 0
        for place in 0...8 where place == 8 || words[place] != 0 {
            if place - start > max(1, run.count) { run = start..<place }
            start = place + 1
        }
        func joined(_ words: ArraySlice<UInt16>) -> String {
            words.map { String($0, radix: 16) }.joined(separator: ":")
        }
        let shown =
            run.isEmpty
            ? joined(words[...]) : joined(words[..<run.lowerBound]) + "::" + joined(words[run.upperBound...])
        return shown + "/\(length)"
    }

    private static func refused(_ text: String, _ why: String) -> KeyringError {
        KeyringError(.invalidArgument, "networks: \(text.prefix(60)): \(why)")
    }
}
