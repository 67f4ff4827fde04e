// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// Text with OpenPGP signatures around it, such as InRelease, .dsc and CHECKSUM files (RFC 4880, 7), read strictly.
///
/// ```
/// message = "-----BEGIN PGP SIGNED MESSAGE-----" eol *( "Hash: " names eol ) eol text armor
/// text    = *( line eol )                    ; where a line begins with "-", "- " stands before it
/// armor   = an armored block of signatures   ; see OpenPGPArmor; behind it only empty lines
/// eol     = LF / CRLF
/// ```
/// What is signed is each line without the white space at its end, with CR LF between two lines and nothing behind the
/// last, by a signature of type 0x01. So white space at the ends of lines, and whether the last line has an end, is not
/// protected by any signature, and a text without an end of its last line gets one here. Lines other than `Hash` there,
/// and anything before or behind the message, are refused, since others would show it as signed. Zeros, a carriage return that is not before a line feed and lines of more than 19,900 bytes are not taken as
/// text: programs that verify disagree about them.
public struct CleartextMessage: Hashable, Sendable {
    /// The text with its own line ends, and without the marks before lines.
    public let text: [UInt8]
    /// At least one.
    public let signatures: [OpenPGPSignature]

    public static let largest = 16 << 20
    public static let longestLine = 19_900
    private static let head = "-----BEGIN PGP SIGNED MESSAGE-----"
    private static let armorHead = "-----BEGIN PGP SIGNATURE-----"
    private static let armorEnd = "-----END PGP SIGNATURE-----"

    /// Whether the bytes begin as such a message does.
    public static func begins(_ bytes: Span<UInt8>) -> Bool { line(bytes, 0..<bytes.count, startsWith: head) }

    /// Signatures around a text, all of them over it.
    public init(_ text: [UInt8], signatures: [OpenPGPSignature]) throws(SignaturesError) {
        if let reason = Self.refusal(of: text.span) { throw SignaturesError(.draftRefused, reason) }
        guard !signatures.isEmpty, !signatures.contains(where: \.digestName.isEmpty) else {
            throw SignaturesError(
                .draftRefused, "a message without a signature, or one with an unknown hash function")
        }
        self.text = text
        self.signatures = signatures
    }

    // MARK: Text

    /// Why bytes cannot be signed as text; `nil` when they can.
    public static func refusal(of text: Span<UInt8>) -> String? {
        if text.count > largest { return "a text of \(text.count) bytes; \(largest) are taken" }
        if begins(text) { return "the text is a signed message itself" }
        var place = 0
        var number = 0
        while let line = nextLine(text, &place) {
            number += 1
            let hasEnd = place > line.upperBound
            let bare =
                hasEnd && !line.isEmpty && text[line.upperBound - 1] == 0x0d ? line.count - 1 : line.count
            guard bare <= longestLine else {
                return "line \(number) has more than \(longestLine) bytes"
            }
            for index in line {
                if text[index] == 0 { return "line \(number) has a zero: that is no text" }
                if text[index] == 0x0d, index != line.upperBound - 1 || !hasEnd {
                    return "line \(number) has a carriage return that is not before a line feed"
                }
            }
        }
        return nil
    }

    /// What a signature over a text hashes; `nil` when it cannot be signed.
    public static func digest(of text: Span<UInt8>, _ algorithm: DigestAlgorithm) -> RunningDigest? {
        guard refusal(of: text) == nil else { return nil }
        var running = RunningDigest(algorithm)
        let end: [UInt8] = [0x0d, 0x0a]
        var place = 0
        while let line = nextLine(text, &place) {
            if line.lowerBound > 0 { running.update(end.span) }
            running.update(text.extracting(trimmed(text, line)))
        }
        return running
    }

    /// The next line without its line feed.
    private static func nextLine(_ text: Span<UInt8>, _ place: inout Int) -> Range<Int>? {
        guard place < text.count else { return nil }
        let start = place
        while place < text.count, text[place] != 0x0a { place += 1 }
        defer { if place < text.count { place += 1 } }
        return start..<place
    }

    private static func trimmed(_ text: Span<UInt8>, _ line: Range<Int>) -> Range<Int> {
        var end = line.upperBound
        while end > line.lowerBound, [0x20, 0x09, 0x0d].contains(text[end - 1]) { end -= 1 }
        return line.lowerBound..<end
    }

    private static func line(_ text: Span<UInt8>, _ line: Range<Int>, startsWith start: String) -> Bool {
        line.count >= start.utf8.count && zip(line, start.utf8).allSatisfy { text[$0] == $1 }
    }

    private static func line(_ text: Span<UInt8>, _ whole: Range<Int>, is wanted: String) -> Bool {
        let trimmed = trimmed(text, whole)
        return trimmed.count == wanted.utf8.count && line(text, trimmed, startsWith: wanted)
    }

    // MARK: Reading

    /// One message and nothing else.
    public init(_ bytes: Span<UInt8>) throws {
        // Marks and signatures make it longer than its text.
        guard bytes.count <= 2 * Self.largest else { throw Self.malformed("\(bytes.count) bytes", 0) }
        var (place, number) = (0, 0)
        func next() -> Range<Int>? {
            number += 1
            return Self.nextLine(bytes, &place)
        }
        guard let first = next(), Self.line(bytes, first, is: Self.head) else {
            throw Self.malformed("it does not begin as one", number)
        }
        var names: [String] = []
        while true {
            guard let line = next() else { throw Self.malformed("it ends before its text", number) }
            if Self.trimmed(bytes, line).isEmpty { break }
            guard Self.line(bytes, line, startsWith: "Hash: ") else {
                throw Self.malformed("a header that is not Hash", number)
            }
            let value = Self.trimmed(bytes, line.lowerBound + 6..<line.upperBound)
            let text = String(decoding: value.map { bytes[$0] }, as: UTF8.self)
            names += text.split(separator: ",").map { String($0.drop { $0 == " " }) }
        }
        var text: [UInt8] = []
        while true {
            guard let line = next() else { throw Self.malformed("it has no signature", number) }
            if Self.line(bytes, line, is: Self.armorHead) {
                place = line.lowerBound
                break
            }
            var start = line.lowerBound
            if !line.isEmpty, bytes[start] == UInt8(ascii: "-") {
                guard Self.line(bytes, line, startsWith: "- ") else {
                    throw Self.malformed("a line that begins with a dash", number)
                }
                start += 2
            }
            text.append(copying: bytes.extracting(start..<place))
        }
        let armor = place
        while true {
            guard let line = next() else { throw Self.malformed("its signature has no end", number) }
            if Self.line(bytes, line, is: Self.armorEnd) { break }
        }
        signatures = try OpenPGPSignature.all(in: bytes.extracting(armor..<place))
        // GnuPG hashes with the functions that are named, and with no other.
        guard names.allSatisfy(OpenPGPSignature.digestNames.values.contains),
            signatures.allSatisfy({ names.isEmpty || names.contains($0.digestName) })
        else { throw Self.malformed("the Hash line does not fit its signatures", 2) }
        while let line = next() {
            guard Self.trimmed(bytes, line).isEmpty else {
                throw Self.malformed("something stands behind the signature", number)
            }
        }
        if let reason = Self.refusal(of: text.span) { throw Self.malformed(reason, 0) }
        self.text = text
    }

    private static func malformed(_ reason: String, _ line: Int) -> SignaturesError {
        SignaturesError(
            .signatureMalformed,
            "a message with a cleartext signature: \(reason)" + (line > 0 ? " (line \(line))" : ""))
    }

    // MARK: Writing

    /// The message, as GnuPG writes it.
    public var encoded: [UInt8] {
        var names: [String] = []
        for signature in signatures {
            let name = signature.digestName
            if !names.contains(name) { names.append(name) }
        }
        var bytes = Array("\(Self.head)\nHash: \(names.joined(separator: ", "))\n\n".utf8)
        let span = text.span
        var place = 0
        while let line = Self.nextLine(span, &place) {
            // Mail programs change lines that begin with "From ".
            let isMarked = !line.isEmpty && span[line.lowerBound] == UInt8(ascii: "-")
            if isMarked || Self.line(span, line, startsWith: "From ") { bytes += Array("- ".utf8) }
            bytes.append(copying: span.extracting(line.lowerBound..<place))
        }
        if text.last != 0x0a { bytes.append(0x0a) }
        return bytes + Array(OpenPGPArmor.signature.encode(signatures.flatMap(\.encoded)).utf8)
    }
}

extension OpenPGPSignature {
    /// The hash functions' names in `Hash` lines, by their numbers.
    fileprivate static let digestNames: [UInt8: String] = [
        1: "MD5", 2: "SHA1", 3: "RIPEMD160", 8: "SHA256", 9: "SHA384", 10: "SHA512", 11: "SHA224",
        12: "SHA3-256", 14: "SHA3-512",
    ]

    fileprivate var digestName: String { Self.digestNames[digestNumber] ?? "" }
}

extension OpenPGPSignatureDraft {
    /// Over text that will stand in a cleartext message.
    public init(
        cleartext text: Span<UInt8>, digest: DigestAlgorithm, signer: OpenPGPSigner, created: Int64
    ) throws {
        guard let running = CleartextMessage.digest(of: text, digest) else {
            throw SignaturesError(.draftRefused, CleartextMessage.refusal(of: text) ?? "no text")
        }
        try self.init(.text, after: running, signer: signer, created: created)
    }
}

extension OpenPGPCertificate {
    /// Judges a signature of a cleartext message over its text.
    public func verdict(
        on signature: OpenPGPSignature, cleartext text: Span<UInt8>, at time: Int64
    ) throws -> SignatureVerdict {
        // By its type it is over bytes or over a key, whatever stands around the text.
        guard signature.isOverText else {
            let isKnown = ([primary] + subkeys).contains { signature.names($0.key) }
            return signature.verdict(isKnown ? .wrongType : .signerUnknown)
        }
        let digest = signature.digestAlgorithm.flatMap { $0.isWeak ? nil : $0 } ?? .sha256
        return try verdict(on: signature, after: CleartextMessage.digest(of: text, digest), at: time)
    }
}
