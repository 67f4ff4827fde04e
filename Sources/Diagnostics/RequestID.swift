// SPDX-License-Identifier: Apache-2.0

/// What ties the log lines, the answer and the peer's own records of one request together.
public struct RequestID: Hashable, Sendable {
    public let text: String

    /// An id that a peer chose: 1 to 64 letters, digits, dots, hyphens and underscores of ASCII; `nil` for any other.
    public init?(_ text: String) {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard allowed, 1...64 ~= text.utf8.count else { return nil }
        self.text = text
    }

    /// 32 hexadecimal digits from the system's generator.
    public static func random() -> RequestID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    public static func random(using generator: inout some RandomNumberGenerator) -> RequestID {
        RequestID(digits: TraceParent.hex(generator.next()) + TraceParent.hex(generator.next()))
    }

    private init(digits: String) { text = digits }
}
