// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// OpenPGP data as text (RFC 4880, 6.2).
///
/// ```
/// text   = *( block / other eol )                   ; other: a line that does not begin with "-----"
/// block  = "-----BEGIN PGP " label "-----" eol *( key ": " value eol ) eol
///          1*( *76base64 eol ) [ "=" 4base64 eol ] "-----END PGP " label "-----" eol
/// eol    = *( SP / HTAB ) ( LF / CRLF )             ; at the end of the text it may be missing
/// ```
/// The four characters after `=` are a CRC-24 of the data; it may be missing, and has to be right when it is there. The
/// values of headers mean nothing here.
public enum OpenPGPArmor: String, CaseIterable, Sendable {
    case publicKey = "PUBLIC KEY BLOCK"
    case signature = "SIGNATURE"

    /// Characters in a line that is read, and bytes in one that is written.
    private static let (longestLine, width) = (1000, 48)

    // MARK: Writing

    /// One block without headers, with LF at the end of each line.
    public func encode(_ bytes: [UInt8]) -> String {
        var text = "-----BEGIN PGP \(rawValue)-----\n\n"
        var place = 0
        while place < bytes.count {
            let end = min(place + Self.width, bytes.count)
            text += Base64.standard.encode(bytes.span.extracting(place..<end)) + "\n"
            place = end
        }
        let sum = Self.checksum(bytes)
        let octets = [UInt8(sum >> 16 & 0xff), UInt8(sum >> 8 & 0xff), UInt8(sum & 0xff)]
        return text + "=\(Base64.standard.encode(octets))\n-----END PGP \(rawValue)-----\n"
    }

    /// CRC-24: the polynomial 1864CFB, from B704CE on.
    static func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(bytes.span) }

    static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        var sum: UInt32 = 0xb7_04ce
        for index in bytes.indices {
            sum ^= UInt32(bytes[index]) << 16
            for _ in 0..<8 {
                sum <<= 1
                if sum & 0x100_0000 != 0 { sum ^= 0x186_4cfb }
            }
        }
        return sum
    }

    // MARK: Reading

    /// The data of all blocks of a text, which must bear this label; at least one, at most `limit`.
    public func decode(_ text: Span<UInt8>, limit: Int = 100) throws(SignaturesError) -> [[UInt8]] {
        var lines = Lines()
        var blocks: [[UInt8]] = []
        while let line = lines.next(text) {
            guard Self.isBoundary(line) else { continue }
            guard line == Array("-----BEGIN PGP \(rawValue)-----".utf8) else {
                throw refused("a block that is no \(rawValue)", lines)
            }
            guard blocks.count < limit else { throw refused("more than \(limit) blocks", lines) }
            blocks.append(try block(text, &lines))
        }
        guard !blocks.isEmpty else { throw refused("no block", lines) }
        return blocks
    }

    private func block(_ text: Span<UInt8>, _ lines: inout Lines) throws(SignaturesError) -> [UInt8] {
        // Headers end with an empty line.
        while true {
            guard let line = lines.next(text) else { throw refused("a block without end", lines) }
            if line.isEmpty { break }
            guard line.contains(UInt8(ascii: ":")), !Self.isBoundary(line) else {
                throw refused("a malformed header", lines)
            }
        }
        var characters: [UInt8] = []
        var sum: [UInt8]?
        while let line = lines.next(text) {
            if Self.isBoundary(line) {
                guard line == Array("-----END PGP \(rawValue)-----".utf8) else {
                    throw refused("a block with another end", lines)
                }
                return try decode(characters, sum, lines)
            }
            guard sum == nil, !line.isEmpty, line.count <= Self.longestLine else {
                throw refused("a malformed line", lines)
            }
            if line.first == UInt8(ascii: "=") {
                sum = Array(line.dropFirst())
            } else {
                characters += line
            }
        }
        throw refused("a block without end", lines)
    }

    private func decode(
        _ characters: [UInt8], _ sum: [UInt8]?, _ lines: Lines
    ) throws(SignaturesError) -> [UInt8] {
        guard let bytes = try? Base64.standard.decode(characters.span), !bytes.isEmpty else {
            throw refused("malformed base64", lines)
        }
        guard let sum else { return bytes }
        guard let octets = try? Base64.standard.decode(sum.span), octets.count == 3 else {
            throw refused("a malformed checksum", lines)
        }
        guard octets.reduce(0, { $0 << 8 | UInt32($1) }) == Self.checksum(bytes) else {
            throw refused("a wrong checksum", lines)
        }
        return bytes
    }

    private static func isBoundary(_ line: [UInt8]) -> Bool { line.starts(with: "-----".utf8) }

    private func refused(_ reason: String, _ lines: Lines) -> SignaturesError {
        let code: ErrorCode = self == .signature ? .signatureMalformed : .openPGPCertificateMalformed
        return SignaturesError(code, "OpenPGP armor: \(reason) at line \(lines.number)")
    }

    /// Walks over lines without their ends and trailing white space.
    private struct Lines {
        var place = 0
        var number = 0

        mutating func next(_ text: Span<UInt8>) -> [UInt8]? {
            guard place < text.count else { return nil }
            let start = place
            while place < text.count, text[place] != 0x0a { place += 1 }
            var end = place
            if place < text.count { place += 1 }
            while end > start, [0x20, 0x09, 0x0d].contains(text[end - 1]) { end -= 1 }
            number += 1
            return Array(copying: text.extracting(start..<end))
        }
    }
}
