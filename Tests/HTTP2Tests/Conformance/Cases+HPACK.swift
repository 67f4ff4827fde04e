// SPDX-License-Identifier: Apache-2.0

extension Case {
    private init(_ section: String, _ name: String, _ block: [UInt8]) {
        self.init(
            group: .hpack, section: section, name: name,
            steps: [.send(headers(1, HeaderBlock.request() + block))],
            outcome: .connectionError([.compression]))
    }

    /// What RFC 7541 forbids.
    static let hpack: [Case] = [
        Case("2.3.3", "index beyond both tables", HeaderBlock.indexed(70)),
        Case("2.3.3", "name's index beyond both tables", HeaderBlock.literal(index: 70, "value")),
        Case("4.2", "table size update behind a field", HeaderBlock.tableSize(1)),
        Case(
            "5.2", "Huffman padding of more than seven bits",
            [0x00] + HeaderBlock.string("x-test") + [0x82, Huffman.encode("0")[0], 0xff]),
        // "0" is five zeros.
        Case("5.2", "Huffman padding of zeros", [0x00] + HeaderBlock.string("x-test") + [0x81, 0x00]),
        Case(
            "5.2", "Huffman end of string",
            [0x00] + HeaderBlock.string("x-test") + [0x84, 0xff, 0xff, 0xff, 0xff]),
        Case("6.1", "index 0", HeaderBlock.indexed(0)),
        Case(
            group: .hpack, section: "6.3", name: "table size over what SETTINGS allow",
            steps: [.send(headers(1, HeaderBlock.tableSize(4097) + HeaderBlock.request()))],
            outcome: .connectionError([.compression])),
    ]
}
