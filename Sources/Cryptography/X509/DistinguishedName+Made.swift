// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes
internal import Diagnostics

extension DistinguishedName {
    public static let locality: OID = "2.5.4.7"
    public static let province: OID = "2.5.4.8"

    /// How many characters RFC 5280 (appendix A) lets an attribute have.
    private static let bounds: [OID: ClosedRange<Int>] = [
        commonName: 1...64, organization: 1...64, organizationalUnit: 1...64, country: 2...2,
        locality: 1...128, province: 1...128,
    ]

    /// A new name, in the order of the encoding: by custom the country comes first and the common name last.
    ///
    /// It takes the six sorts of attributes that are named here, and refuses control characters.
    public init(_ attributes: [(type: OID, text: String)]) throws {
        var writer = DERWriter()
        try writer.sequence { writer in
            for (type, text) in attributes {
                try Self.check(type, text)
                try writer.setOf([text]) { writer, text in
                    try writer.sequence { writer in
                        writer.oid(type)
                        if type == Self.country {
                            try writer.printableString(text)
                        } else {
                            try writer.utf8String(text)
                        }
                    }
                }
            }
        }
        let bytes = writer.bytes
        var reader = DERReader(bytes.span, DER())
        try self.init(reading: &reader)
    }

    public init(commonName: String) throws { try self.init([(Self.commonName, commonName)]) }

    private static func check(_ type: OID, _ text: String) throws(CryptographyError) {
        guard let bound = bounds[type] else {
            throw CryptographyError(.certificateMalformed, "a name with an attribute of the sort \(type)")
        }
        let letters = text.unicodeScalars
        let isPlain = letters.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f ~= $0.value) }
        let isCountry = type != country || letters.allSatisfy { "A"..."Z" ~= $0 }
        guard bound ~= letters.count, isPlain, isCountry else {
            throw CryptographyError(
                .certificateMalformed,
                "a name whose attribute \(type) is \"\(text.prefix(80))\": it has \(bound.lowerBound) to "
                    + "\(bound.upperBound) characters without control characters, a country two capital letters"
            )
        }
    }
}
