// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Diagnostics
internal import Secrets

/// The old encryption of PEM text (RFC 1421), which OpenSSL still writes for PKCS#1 and SEC1 keys.
///
/// ```
/// "-----BEGIN " label "-----" eol
/// "Proc-Type: 4,ENCRYPTED" eol
/// "DEK-Info: " cipher "," hexadecimal-iv eol
/// eol
/// ```
/// The salt is the first 8 bytes of the initialisation vector.
struct LegacyPEMHeaders {
    var encryption: KeyEncryption
    /// Where the headers lie, the empty line included.
    var place: Range<Int>

    /// Finds the headers of the first block that has some.
    init?(in text: Span<UInt8>) throws {
        guard let start = Self.find("Proc-Type: ", in: text, from: 0) else { return nil }
        var place = start
        let sort = Self.line(text, &place)
        let information = Self.line(text, &place)
        let empty = Self.line(text, &place)
        guard sort == "Proc-Type: 4,ENCRYPTED", information.hasPrefix("DEK-Info: "), empty.isEmpty else {
            throw CryptographyError(.keyMalformed, "PEM headers that are not of an encrypted key")
        }
        let parts = information.dropFirst("DEK-Info: ".count).split(separator: ",")
        guard parts.count == 2 else { throw CryptographyError(.keyMalformed, "a malformed DEK-Info line") }
        guard let cipher = KeyEncryption.Cipher(rawValue: String(parts[0])) else {
            throw CryptographyError(.keyEncryptionNotSupported, "encrypted with \(parts[0].prefix(40))")
        }
        guard let iv = try? Hex.decode(String(parts[1]), .upper), iv.count == cipher.blockLength else {
            throw CryptographyError(.keyMalformed, "a malformed initialisation vector in DEK-Info")
        }
        encryption = KeyEncryption(derivation: .md5(salt: Array(iv.prefix(8))), cipher: cipher, iv: iv)
        self.place = start..<place
    }

    /// The text without the headers.
    func removed(from text: Span<UInt8>) throws -> SecretBytes {
        try SecretBytes(capacity: text.count) { output in
            try output.append(copying: text.extracting(0..<place.lowerBound))
            try output.append(copying: text.extracting(place.upperBound..<text.count))
        }
    }

    static func find(_ pattern: StaticString, in text: Span<UInt8>, from start: Int) -> Int? {
        let wanted = Array("\(pattern)".utf8)
        guard text.count >= start + wanted.count else { return nil }
        return (start...text.count - wanted.count).first { place in
            wanted.indices.allSatisfy { text[place + $0] == wanted[$0] }
        }
    }

    /// A line of the headers, which are public and short.
    private static func line(_ text: Span<UInt8>, _ place: inout Int) -> String {
        var line: [UInt8] = []
        while place < text.count, text[place] != 0x0a, line.count < 100 {
            line.append(text[place])
            place += 1
        }
        if place < text.count { place += 1 }
        if line.last == 0x0d { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }
}
