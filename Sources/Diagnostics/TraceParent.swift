// SPDX-License-Identifier: Apache-2.0

/// The `traceparent` header of W3C Trace Context.
///
/// ```
/// traceparent = version "-" trace-id "-" parent-id "-" flags
/// version     = 2HEXDIG   ; lower case, not "ff"; later versions may add "-" and more behind the flags
/// trace-id    = 32HEXDIG  ; lower case, not all zero
/// parent-id   = 16HEXDIG  ; lower case, not all zero
/// flags       = 2HEXDIG   ; bit 0: sampled, bit 1: the trace id is random
/// ```
///
/// A malformed one is `nil`, and the receiver begins a trace of its own.
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64
    private let parent: UInt64
    private let flags: UInt8

    public init?(_ text: String) {
        self.init(Array(text.utf8).span)
    }

    public init?(_ text: Span<UInt8>) {
        guard text.count >= 55, let version = Self.number(text, 0..<2), version != 0xff else { return nil }
        guard text.count == 55 || (version > 0 && text[55] == UInt8(ascii: "-")) else { return nil }
        for place in [2, 35, 52] where text[place] != UInt8(ascii: "-") { return nil }
        guard let high = Self.number(text, 3..<19), let low = Self.number(text, 19..<35), high | low != 0,
            let parent = Self.number(text, 36..<52), parent != 0, let flags = Self.number(text, 53..<55)
        else { return nil }
        self.init(high: high, low: low, parent: parent, flags: UInt8(truncatingIfNeeded: flags))
    }

    /// Flags that this version does not define are not passed on.
    private init(high: UInt64, low: UInt64, parent: UInt64, flags: UInt8) {
        (self.high, self.low, self.parent, self.flags) = (high, low, parent, flags & 0b11)
    }

    /// The beginning of a new trace.
    public static func random(sampled: Bool, using generator: inout some RandomNumberGenerator) -> TraceParent
    {
        TraceParent(
            high: nonzero(&generator), low: generator.next(), parent: nonzero(&generator),
            flags: sampled ? 0b11 : 0b10)
    }

    public static func random(sampled: Bool) -> TraceParent {
        var generator = SystemRandomNumberGenerator()
        return random(sampled: sampled, using: &generator)
    }

    /// The same trace, one step further down.
    public func child(using generator: inout some RandomNumberGenerator) -> TraceParent {
        var next = Self.nonzero(&generator)
        if next == parent { next = parent == .max ? 1 : parent + 1 }
        return TraceParent(high: high, low: low, parent: next, flags: flags)
    }

    public func child() -> TraceParent {
        var generator = SystemRandomNumberGenerator()
        return child(using: &generator)
    }

    public var isSampled: Bool { flags & 1 != 0 }
    public var traceID: String { Self.hex(high) + Self.hex(low) }
    public var spanID: String { Self.hex(parent) }
    /// The header's value, as version 00.
    public var description: String { "00-\(traceID)-\(spanID)-0\(flags)" }

    private static func nonzero(_ generator: inout some RandomNumberGenerator) -> UInt64 {
        UInt64.random(in: 1 ... .max, using: &generator)
    }

    private static func number(_ text: Span<UInt8>, _ places: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for place in places {
            let digit = text[place]
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    static func hex(_ value: UInt64) -> String {
        String(
            decoding: (0..<16).map { EscapedText.hexDigit(UInt8(value >> UInt64(60 - 4 * $0) & 0xf)) },
            as: UTF8.self)
    }
}
