// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Secrets

/// Private keys as text. The grammar stands at `OpenPGPArmor`; text and data stay in locked memory.
enum SecretArmor {
    private static let label = "PGP PRIVATE KEY BLOCK"

    /// The data of the one block of a text, and nothing beside it but lines that begin no block.
    static func decode(_ text: Span<UInt8>) throws -> SecretBytes {
        var lines = Lines()
        var body: (start: Int, end: Int)?
        var sum: Range<Int>?
        var isInside = false
        var place = 0
        while let line = lines.next(text) {
            let isBoundary = starts(text, line, "-----")
            if !isInside {
                guard isBoundary else { continue }
                guard body == nil, equals(text, line, "-----BEGIN \(label)-----") else {
                    throw refused("a block that is no \(label), or two blocks", lines)
                }
                isInside = true
                // Headers end with an empty line.
                while let header = lines.next(text), !header.isEmpty {
                    guard !starts(text, header, "-----"), header.contains(where: { text[$0] == 0x3a }) else {
                        throw refused("a malformed header", lines)
                    }
                }
                place = lines.place
            } else if isBoundary {
                guard equals(text, line, "-----END \(label)-----") else {
                    throw refused("a block with another end", lines)
                }
                body = (place, sum?.lowerBound ?? line.lowerBound)
                isInside = false
            } else {
                guard sum == nil, !line.isEmpty else { throw refused("a malformed line", lines) }
                if text[line.lowerBound] == 0x3d { sum = line }
            }
        }
        guard let body, !isInside else { throw refused("no whole block", lines) }
        // Without line ends, and then without base64.
        let characters = try SecretBytes(capacity: body.end - body.start) { output in
            for index in body.start..<body.end where ![0x20, 0x09, 0x0d, 0x0a].contains(text[index]) {
                output.append(text[index])
            }
        }
        let bytes = try SecretBytes(capacity: Base64.standard.decodedCapacity(characters.count)) { output in
            do throws(BytesError) {
                try Base64.standard.decode(characters.bytes, into: &output)
            } catch {
                throw refused("malformed base64", lines)
            }
        }
        if let sum {
            let octets = try? Base64.standard.decode(text.extracting(sum).extracting(droppingFirst: 1))
            guard let octets, octets.count == 3, isSum(octets, of: bytes) else {
                throw refused("a wrong checksum", lines)
            }
        }
        return bytes
    }

    private static func isSum(_ octets: [UInt8], of bytes: borrowing SecretBytes) -> Bool {
        octets.reduce(0) { $0 << 8 | UInt32($1) } == OpenPGPArmor.checksum(bytes.bytes)
    }

    private static func starts(_ text: Span<UInt8>, _ line: Range<Int>, _ start: String) -> Bool {
        line.count >= start.utf8.count && zip(line, start.utf8).allSatisfy { text[$0] == $1 }
    }

    private static func equals(_ text: Span<UInt8>, _ line: Range<Int>, _ whole: String) -> Bool {
        line.count == whole.utf8.count && starts(text, line, whole)
    }

    private static func refused(_ reason: String, _ lines: Lines) -> SignaturesError {
        SignaturesError(.keyMalformed, "OpenPGP armor of a private key: \(reason) at line \(lines.number)")
    }

    /// Walks over the places of lines, without their ends and trailing white space.
    private struct Lines {
        var place = 0
        var number = 0

        mutating func next(_ text: Span<UInt8>) -> Range<Int>? {
            guard place < text.count else { return nil }
            let start = place
            while place < text.count, text[place] != 0x0a { place += 1 }
            var end = place
            if place < text.count { place += 1 }
            while end > start, [0x20, 0x09, 0x0d].contains(text[end - 1]) { end -= 1 }
            number += 1
            return start..<end
        }
    }
}
