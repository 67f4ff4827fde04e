// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// What an image's `.sbat` section says: components and their generations, by which shim refuses old ones.
///
/// ```
/// sbat = 1*( component "," generation "," vendor "," package "," version "," url LF )     ; ends at its first zero
/// ```
/// Fields may follow; the last line may lack its end. Shim starts no image whose section is of another form.
public struct ImageGenerations: Hashable, Sendable {
    public struct Component: Hashable, Sendable {
        public let name: String
        public let generation: Int
    }

    public let components: [Component]

    /// More bytes are refused.
    public static let limit = 16 << 10

    public init(_ section: Span<UInt8>) throws(ArtifactError) {
        guard section.count <= Self.limit, let text = String(validatingUTF8: section) else {
            throw EFIImage.malformed("its .sbat section is no text of at most \(Self.limit) bytes")
        }
        var components: [Component] = []
        for line in text.prefix(while: { $0 != "\0" }).split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 6, (1...64).contains(fields[0].utf8.count),
                fields[0].utf8.allSatisfy({ 0x21...0x7e ~= $0 }), let generation = Int(fields[1]),
                1...65535 ~= generation, components.count < 64
            else { throw EFIImage.malformed("line \(components.count + 1) of its .sbat section") }
            components.append(Component(name: String(fields[0]), generation: generation))
        }
        guard !components.isEmpty else { throw EFIImage.malformed("its .sbat section is empty") }
        self.components = components
    }
}
