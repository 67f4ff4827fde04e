// SPDX-License-Identifier: Apache-2.0

/// Header blocks in the forms of RFC 7541 section 6, written by hand, so that wrong ones can be written as well.
enum HeaderBlock {
    /// Section 6.2: what becomes of a literal field.
    enum Indexing: CaseIterable {
        case incremental
        case none
        case never

        /// The bits in front of the index of the name, and how many bits that index has.
        var prefix: (bits: UInt8, width: Int) {
            switch self {
            case .incremental: (0x40, 6)
            case .none: (0x00, 4)
            case .never: (0x10, 4)
            }
        }
    }

    /// Section 5.1.
    static func integer(_ value: Int, width: Int, bits: UInt8 = 0) -> [UInt8] {
        let most = (1 << width) - 1
        guard value >= most else { return [bits | UInt8(value)] }
        var bytes = [bits | UInt8(most)]
        var rest = value - most
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// Section 5.2.
    static func string(_ text: String, huffman: Bool = false) -> [UInt8] {
        let bytes = huffman ? Huffman.encode(text) : Array(text.utf8)
        return integer(bytes.count, width: 7, bits: huffman ? 0x80 : 0) + bytes
    }

    static func indexed(_ index: Int) -> [UInt8] { integer(index, width: 7, bits: 0x80) }

    static func literal(_ name: String, _ value: String, _ indexing: Indexing = .none, huffman: Bool = false)
        -> [UInt8]
    {
        [indexing.prefix.bits] + string(name, huffman: huffman) + string(value, huffman: huffman)
    }

    static func literal(index: Int, _ value: String, _ indexing: Indexing = .none, huffman: Bool = false)
        -> [UInt8]
    {
        integer(index, width: indexing.prefix.width, bits: indexing.prefix.bits)
            + string(value, huffman: huffman)
    }

    static func tableSize(_ size: Int) -> [UInt8] { integer(size, width: 5, bits: 0x20) }

    /// Fields as plain literals.
    static func fields(_ fields: [(String, String)]) -> [UInt8] { fields.flatMap { literal($0.0, $0.1) } }

    /// The pseudo-fields of a request, all of them or without some.
    static let pseudo = [
        (":method", "POST"), (":scheme", "http"), (":path", "/wire.Target/Echo"), (":authority", "wire.test"),
    ]
    static let regular = [("content-type", "application/grpc"), ("te", "trailers")]

    /// A request that every listener takes, with more fields.
    static func request(_ more: [(String, String)] = []) -> [UInt8] { fields(pseudo + regular + more) }

    static func request(without name: String, then more: [(String, String)] = []) -> [UInt8] {
        fields((pseudo + regular).filter { $0.0 != name } + more)
    }

    static func request(method: String) -> [UInt8] {
        fields([(":method", method)] + pseudo.dropFirst() + regular)
    }
}

/// The code of RFC 7541 appendix B for the characters that the cases use.
enum Huffman {
    private static let code: [Character: (bits: UInt32, count: Int)] = {
        var code: [Character: (bits: UInt32, count: Int)] = [:]
        for (first, count, characters) in [
            (0x00, 5, "012aceiost"), (0x14, 6, " %-./3456789=A_bdfghlmnpru"), (0x5c, 7, ":"),
            (0x74, 7, "jkqvwxyz"),
        ] as [(UInt32, Int, String)] {
            for (index, character) in characters.enumerated() {
                code[character] = (first + UInt32(index), count)
            }
        }
        return code
    }()

    /// The string's code, filled up with ones.
    static func encode(_ text: String) -> [UInt8] {
        var bits: [Bool] = []
        for character in text {
            guard let (value, count) = code[character] else { continue }
            for place in (0..<count).reversed() { bits.append(value >> UInt32(place) & 1 == 1) }
        }
        while bits.count % 8 != 0 { bits.append(true) }
        return stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
        }
    }
}
