// SPDX-License-Identifier: Apache-2.0

/// An object identifier, kept as its DER contents, so that it is compared and written without being taken apart.
///
/// ```
/// contents = 1*( *%x80-FF %x00-7F )   ; each arc in the shortest form; the first one is 40 * arc1 + arc2
/// ```
/// An arc has at most 128 bits, as UUIDs under 2.25 need; the contents have at most 255 bytes.
public struct OID: Hashable, Sendable, CustomStringConvertible {
    public let contents: [UInt8]

    static let limit = 255

    /// `nil` unless they are canonical.
    public init?(contents: [UInt8]) {
        guard 1...OID.limit ~= contents.count, OID.split(contents) != nil else { return nil }
        self.contents = contents
    }

    /// From dotted text such as `2.5.4.3`: at least two arcs, the first below 3, the second below 40 under 0 and 1, no
    /// zeros in front.
    public init?(_ text: String) {
        var arcs: [UInt128] = []
        for part in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !part.isEmpty, part.allSatisfy({ 0x30...0x39 ~= $0 }),
                part.count == 1 || part.first != 0x30,
                let arc = UInt128(String(part) ?? "")
            else { return nil }
            arcs.append(arc)
        }
        guard arcs.count > 1, arcs[0] < 2 && arcs[1] < 40 || arcs[0] == 2 else { return nil }
        let (first, overflow) = arcs[1].addingReportingOverflow(arcs[0] * 40)
        guard !overflow else { return nil }
        var contents: [UInt8] = []
        for arc in [first] + arcs[2...] { OID.append(arc, to: &contents) }
        guard contents.count <= OID.limit else { return nil }
        self.contents = contents
    }

    /// The dotted text.
    public var description: String {
        guard let numbers = OID.split(contents), let first = numbers.first else { return "" }
        let top = min(first / 40, 2)
        return ([top, first - top * 40] + numbers.dropFirst()).map { String($0) }.joined(separator: ".")
    }

    private static func split(_ contents: [UInt8]) -> [UInt128]? {
        var numbers: [UInt128] = []
        var number: UInt128 = 0
        var isInside = false
        for byte in contents {
            guard isInside || byte != 0x80, number < 1 << 121 else { return nil }
            number = number << 7 | UInt128(byte & 0x7f)
            isInside = byte > 0x7f
            if !isInside {
                numbers.append(number)
                number = 0
            }
        }
        return isInside ? nil : numbers
    }

    private static func append(_ arc: UInt128, to contents: inout [UInt8]) {
        var shift: UInt128 = 0
        while arc >> shift > 0x7f { shift += 7 }
        while shift > 0 {
            contents.append(0x80 | UInt8(truncatingIfNeeded: arc >> shift))
            shift -= 7
        }
        contents.append(UInt8(truncatingIfNeeded: arc & 0x7f))
    }
}

extension OID: ExpressibleByStringLiteral {
    /// A literal in our own source; a malformed one is a mistake of ours.
    public init(stringLiteral text: StaticString) {
        guard let oid = OID("\(text)") else { preconditionFailure("\(text) is no object identifier") }
        self = oid
    }
}
