// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// Hashes text as signatures of type 0x01 have it: each LF becomes CR LF, and a CR LF stays.
///
/// A CR anywhere else is refused, since programs that verify disagree about what it is. White space at the ends of lines
/// counts, and nothing is added to a last line without an end.
public struct CanonicalText: Sendable {
    private var running: RunningDigest
    private var endsWithReturn = false

    public init(_ algorithm: DigestAlgorithm) { running = RunningDigest(algorithm) }

    public mutating func update(_ bytes: Span<UInt8>) throws(SignaturesError) {
        let feed: [UInt8] = [0x0a]
        let end: [UInt8] = [0x0d, 0x0a]
        var start = 0
        for place in bytes.indices {
            let byte = bytes[place]
            guard byte == 0x0a || !endsWithReturn else { throw Self.loneReturn }
            if byte == 0x0a {
                running.update(bytes.extracting(start..<place))
                // The CR before it has been hashed.
                if endsWithReturn { running.update(feed.span) } else { running.update(end.span) }
                start = place + 1
            }
            endsWithReturn = byte == 0x0d
        }
        running.update(bytes.extracting(start..<bytes.count))
    }

    /// The digest so far; the text is at its end.
    public func finish() throws(SignaturesError) -> RunningDigest {
        guard !endsWithReturn else { throw Self.loneReturn }
        return running
    }

    /// Of text at hand; `nil` when it is none.
    static func digest(of text: Span<UInt8>, _ algorithm: DigestAlgorithm) -> RunningDigest? {
        var canonical = CanonicalText(algorithm)
        do throws(SignaturesError) {
            try canonical.update(text)
            return try canonical.finish()
        } catch {
            return nil
        }
    }

    private static var loneReturn: SignaturesError {
        SignaturesError(.draftRefused, "text with a carriage return that is not before a line feed")
    }
}
