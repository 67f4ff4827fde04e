// SPDX-License-Identifier: Apache-2.0

/// A `ByteReader` in the hands of one format, which adds its verbs in an extension and keeps its limits and counts in
/// `format`: `DERReader` is `FormatReader<DER>`.
///
/// It stands here since only this room may declare types that borrow.
public struct FormatReader<Format>: ~Escapable {
    public var bytes: ByteReader
    public var format: Format

    @_lifetime(copy span)
    public init(_ span: Span<UInt8>, _ format: Format) {
        bytes = ByteReader(span)
        self.format = format
    }
}
