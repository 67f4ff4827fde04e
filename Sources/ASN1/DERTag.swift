// SPDX-License-Identifier: Apache-2.0

/// The identifier of an element: class, number, and whether other elements are inside.
///
/// ```
/// identifier = class(2 bits) constructed(1 bit) number(5 bits)      ; number < 31
///            / class constructed 11111 *( 1 7bits ) ( 0 7bits )    ; number >= 31, the shortest form, below 2^28
/// ```
public struct DERTag: Hashable, Sendable, CustomStringConvertible {
    public enum Class: UInt8, Hashable, Sendable {
        case universal, application, context, `private`
    }

    public let `class`: Class
    public let number: UInt32
    public let isConstructed: Bool

    /// The number is below 2^28.
    public init(_ class: Class, _ number: UInt32, constructed: Bool = false) {
        precondition(number < DERTag.limit, "a tag number of 2^28 or more")
        self.class = `class`
        self.number = number
        isConstructed = constructed
    }

    static let limit: UInt32 = 1 << 28

    /// `[number]` around or instead of elements: EXPLICIT, or IMPLICIT on a SEQUENCE or SET.
    public static func constructed(_ number: UInt32) -> DERTag { DERTag(.context, number, constructed: true) }
    /// `[number] IMPLICIT` on a type without elements inside.
    public static func primitive(_ number: UInt32) -> DERTag { DERTag(.context, number) }

    public static let boolean = DERTag(.universal, 1)
    public static let integer = DERTag(.universal, 2)
    public static let bitString = DERTag(.universal, 3)
    public static let octetString = DERTag(.universal, 4)
    public static let null = DERTag(.universal, 5)
    public static let oid = DERTag(.universal, 6)
    public static let enumerated = DERTag(.universal, 10)
    public static let utf8String = DERTag(.universal, 12)
    public static let sequence = DERTag(.universal, 16, constructed: true)
    public static let set = DERTag(.universal, 17, constructed: true)
    public static let numericString = DERTag(.universal, 18)
    public static let printableString = DERTag(.universal, 19)
    public static let t61String = DERTag(.universal, 20)
    public static let ia5String = DERTag(.universal, 22)
    public static let utcTime = DERTag(.universal, 23)
    public static let generalizedTime = DERTag(.universal, 24)
    public static let visibleString = DERTag(.universal, 26)
    public static let universalString = DERTag(.universal, 28)
    public static let bmpString = DERTag(.universal, 30)

    public var description: String {
        let form = isConstructed ? " constructed" : ""
        return "\(`class`) \(number)\(form)"
    }
}
