// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A block of PEM text (RFC 7468, the strict form): its label, and where in the text its base64 lies.
///
/// ```
/// text  = *( block / other eol )                    ; other: a line that does not begin with "-----"
/// block = "-----BEGIN " label "-----" eol
///         *( 64base64 eol ) 1*64base64 eol          ; padded to groups of four; only the last line may be shorter
///         "-----END " label "-----" eol             ; the same label
/// label = char *( [ "-" / SP ] char )               ; char: visible ASCII other than "-"
/// eol   = LF / CRLF                                 ; at the end of the text it may be missing
/// ```
/// Headers such as `Proc-Type` inside of a block are refused: they belong to the old, weak encryption of keys. A block
/// holds no byte of its contents, so the text of a private key can stay where it is and be decoded into a secret.
public struct PEMBlock: Hashable, Sendable {
    public let label: String
    /// Where the base64 lines lie in the text, their ends included.
    public let body: Range<Int>
    /// How many bytes they hold, when they decode.
    public let count: Int

    private static let lineLength = 64

    // MARK: Reading

    /// The blocks of a text, in order, at most `limit` of them. Their base64 is looked at when it is decoded.
    public static func blocks(in text: Span<UInt8>, limit: Int = 1_000) throws(ASN1Error) -> [PEMBlock] {
        var blocks: [PEMBlock] = []
        var place = 0
        while let line = nextLine(text, &place) {
            guard begins(text, line, with: "-----") else { continue }
            guard let label = boundary(text, line, "-----BEGIN ") else {
                throw ASN1Error(.badPEM, at: line.lowerBound)
            }
            guard blocks.count < limit else { throw ASN1Error(.overLimit, at: line.lowerBound) }
            blocks.append(try block(label, text, &place))
        }
        return blocks
    }

    /// The contents of all blocks, which must bear that label; at least one.
    public static func decode(_ text: String, label: String, limit: Int = 1_000) throws(ASN1Error)
        -> [[UInt8]]
    {
        let bytes = Array(text.utf8)
        let blocks = try blocks(in: bytes.span, limit: limit)
        guard !blocks.isEmpty else { throw ASN1Error(.badPEM, at: 0) }
        var contents: [[UInt8]] = []
        for block in blocks {
            guard block.label == label else { throw ASN1Error(.badPEM, at: block.body.lowerBound) }
            contents.append(try block.decode(from: bytes.span))
        }
        return contents
    }

    /// The contents, from the text in which the block was found.
    public func decode(from text: Span<UInt8>) throws(ASN1Error) -> [UInt8] {
        try [UInt8](capacity: count) { (output) throws(ASN1Error) in try decode(from: text, into: &output) }
    }

    /// Appends the contents to `output`, as a secret needs it. When they are refused or do not fit, the output counts
    /// as many bytes as before.
    public func decode(from text: Span<UInt8>, into output: inout OutputSpan<UInt8>) throws(ASN1Error) {
        guard body.upperBound <= text.count else { throw ASN1Error(.badPEM, at: text.count) }
        guard count <= output.freeCapacity else { throw ASN1Error(.overLimit, at: body.lowerBound) }
        let before = output.count
        let text = text.extracting(0..<body.upperBound)
        var place = body.lowerBound
        while let line = Self.nextLine(text, &place) {
            let variant = place == body.upperBound ? Base64.standard : .standardUnpadded
            do {
                try variant.decode(text.extracting(line), into: &output)
            } catch {
                output.removeLast(output.count - before)
                throw ASN1Error(.badPEM, at: line.lowerBound + min(error.offset, line.count))
            }
        }
    }

    private static func block(
        _ label: String, _ text: Span<UInt8>, _ place: inout Int
    ) throws(ASN1Error) -> PEMBlock {
        let start = place
        var (characters, padding, isLast) = (0, 0, false)
        while true {
            let end = place
            guard let line = nextLine(text, &place) else { throw ASN1Error(.badPEM, at: end) }
            if begins(text, line, with: "-----") {
                guard characters > 0, boundary(text, line, "-----END ") == label else {
                    throw ASN1Error(.badPEM, at: end)
                }
                return PEMBlock(
                    label: label, body: start..<end,
                    count: Base64.standard.decodedCapacity(characters) - padding)
            }
            let isPadded = !line.isEmpty && text[line.upperBound - 1] == 0x3d
            guard !isLast, 1...lineLength ~= line.count, line.count.isMultiple(of: 4) else {
                throw ASN1Error(.badPEM, at: end)
            }
            isLast = line.count < lineLength || isPadded
            if isPadded { padding = text[line.upperBound - 2] == 0x3d ? 2 : 1 }
            characters += line.count
        }
    }

    // MARK: Writing

    /// One block, with LF at the end of each line. The label is one of ours.
    public static func encode(_ contents: [UInt8], label: String) -> String {
        precondition(isLabel(Array(label.utf8).span) && !contents.isEmpty, "no PEM block: \(label)")
        let base64 = Base64.standard.encode(contents).utf8
        var text = "-----BEGIN \(label)-----\n"
        var rest = base64[...]
        while !rest.isEmpty {
            text += "\(Substring(rest.prefix(lineLength)))\n"
            rest = rest.dropFirst(lineLength)
        }
        return text + "-----END \(label)-----\n"
    }

    // MARK: Lines

    /// The next line without its end; `nil` at the end of the text.
    private static func nextLine(_ text: Span<UInt8>, _ place: inout Int) -> Range<Int>? {
        guard place < text.count else { return nil }
        let start = place
        while place < text.count, text[place] != 0x0a { place += 1 }
        var end = place
        if place < text.count {
            place += 1
            if end > start, text[end - 1] == 0x0d { end -= 1 }
        }
        return start..<end
    }

    private static func begins(_ text: Span<UInt8>, _ line: Range<Int>, with prefix: StaticString) -> Bool {
        let prefix = "\(prefix)".utf8
        guard line.count >= prefix.count else { return false }
        return prefix.enumerated().allSatisfy { text[line.lowerBound + $0.offset] == $0.element }
    }

    /// The label of a line `prefix label "-----"`.
    private static func boundary(_ text: Span<UInt8>, _ line: Range<Int>, _ prefix: StaticString) -> String? {
        let start = line.lowerBound + prefix.utf8CodeUnitCount
        guard begins(text, line, with: prefix), line.upperBound - start > 5,
            begins(text, line.upperBound - 5..<line.upperBound, with: "-----")
        else { return nil }
        let label = text.extracting(start..<line.upperBound - 5)
        return isLabel(label) ? String(validatingUTF8: label) : nil
    }

    private static func isLabel(_ label: Span<UInt8>) -> Bool {
        guard 1...64 ~= label.count else { return false }
        var wasCharacter = false
        for index in label.indices {
            let isCharacter = 0x21...0x7e ~= label[index] && label[index] != 0x2d
            guard isCharacter || wasCharacter && (label[index] == 0x20 || label[index] == 0x2d) else {
                return false
            }
            wasCharacter = isCharacter
        }
        return wasCharacter
    }
}
