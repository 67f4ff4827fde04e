// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// The certificate table at the end of a signed image: one signature after the other.
///
/// ```
/// table     = *entry
/// entry     = count %x00.02 %x02.00 *OCTET *7%x00     ; revision 2, PKCS #7; 4 bytes of count, little endian, with these
///                                                     ; 8 bytes; zeros up to a multiple of 8, counted or not
/// ```
package struct CertificateTable: Hashable, Sendable {
    /// DER of each signature.
    package var signatures: [[UInt8]]

    /// More are refused.
    static let limit = 32

    package init(_ signatures: [[UInt8]]) { self.signatures = signatures }

    package init(reading bytes: Span<UInt8>) throws(ArtifactError) {
        do throws(BytesError) {
            signatures = try Self.read(bytes)
        } catch {
            throw EFIImage.malformed("its certificate table: \(error)")
        }
    }

    private static func read(_ bytes: Span<UInt8>) throws(BytesError) -> [[UInt8]] {
        var reader = ByteReader(bytes)
        var found: [[UInt8]] = []
        while !reader.isAtEnd {
            let start = reader.offset
            let count = Int(try reader.readUInt32(.little))
            let (revision, type) = (try reader.readUInt16(.little), try reader.readUInt16(.little))
            guard revision == 0x200, type == 2, count > 8, found.count < limit else {
                throw BytesError(.notCanonical, at: start)
            }
            var padded = try reader.readArray(count - 8)
            // Other programs count the zeros too.
            padded += try reader.readArray(min((8 - count % 8) % 8, reader.remaining))
            guard let length = derCount(padded), padded.count - length < 8,
                padded[length...].allSatisfy({ $0 == 0 })
            else { throw BytesError(.notCanonical, at: start + 8) }
            padded.removeLast(padded.count - length)
            found.append(padded)
        }
        return found
    }

    /// The length of the DER element that bytes begin with.
    private static func derCount(_ bytes: [UInt8]) -> Int? {
        guard bytes.count > 4, bytes[0] == 0x30 else { return nil }
        let octets = bytes[1] < 0x80 ? 0 : Int(bytes[1] & 0x7f)
        guard octets <= 3 else { return nil }
        let body = octets == 0 ? Int(bytes[1]) : bytes[2..<2 + octets].reduce(0) { $0 << 8 | Int($1) }
        return 2 + octets + body <= bytes.count ? 2 + octets + body : nil
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        for signature in signatures {
            let padding = (8 - signature.count % 8) % 8
            // Counted with its zeros: osslsigncode 2.5 takes no other entry.
            writer.write(UInt32(8 + signature.count + padding), .little)
            writer.write(UInt16(0x200), .little)
            writer.write(UInt16(2), .little)
            writer.write(signature)
            writer.write([UInt8](repeating: 0, count: padding))
        }
        return writer.bytes
    }
}
