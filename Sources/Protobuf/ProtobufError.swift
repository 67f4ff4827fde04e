// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Why a message was refused.
public struct ProtobufError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case truncated
        case overLimit
        case badTag
        case badVarint
        case badText
        case wrongWireType
        case repeatedMessage
        /// For messages that check what they read.
        case badValue
    }

    public var code: Code
    /// Where, counted from the first byte of the document.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    init(_ error: BytesError) {
        let code: Code =
            switch error.code {
            case .truncated, .trailing, .badLength: .truncated
            case .overLimit: .overLimit
            case .badVarint, .notCanonical: .badVarint
            case .badCharacter, .badPadding: .badText
            }
        self.init(code, at: error.offset)
    }

    public var description: String {
        switch code {
        case .truncated: "a message is cut off at byte \(offset)"
        case .overLimit: "a message exceeds a limit at byte \(offset)"
        case .badTag: "an illegal field number or wire type at byte \(offset)"
        case .badVarint: "a malformed integer at byte \(offset)"
        case .badText: "text that is not UTF-8 at byte \(offset)"
        case .wrongWireType: "a field has the wrong type at byte \(offset)"
        case .repeatedMessage: "a field comes twice at byte \(offset)"
        case .badValue: "a field has an illegal value at byte \(offset)"
        }
    }
}
