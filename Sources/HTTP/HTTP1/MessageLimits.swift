// SPDX-License-Identifier: Apache-2.0

/// What the head of an HTTP/1.1 message may take.
public struct MessageLimits: Sendable {
    /// The start line, without its end.
    public var startLine = 8 * 1024
    /// Start line and fields together, and trailers.
    public var head = 16 * 1024
    public var fields = 100
    /// The part of a chunk's first line behind its size.
    public var chunkExtension = 256

    public init() {}
}
