// SPDX-License-Identifier: Apache-2.0

/// The number of a value in a header of an RPM package. Both headers share one space of numbers but not the meanings.
struct RPMTag: RawRepresentable, Hashable, Comparable, Sendable {
    var rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ number: UInt32) { rawValue = number }

    static func < (one: RPMTag, other: RPMTag) -> Bool { one.rawValue < other.rawValue }

    // MARK: The signature header

    static let signatureRegion = RPMTag(62)
    /// An OpenPGP signature over the main header: EdDSA, ECDSA or DSA.
    static let headerSignatureDSA = RPMTag(267)
    /// The same by RSA.
    static let headerSignatureRSA = RPMTag(268)
    static let headerSHA1 = RPMTag(269)
    static let longSize = RPMTag(270)
    static let headerSHA256 = RPMTag(273)
    /// OpenPGP signatures over the main header as text, any number of them; only rpm 6 looks there.
    static let headerSignatures = RPMTag(278)
    static let size = RPMTag(1000)
    /// OpenPGP signatures over main header and payload.
    static let packageSignatureRSA = RPMTag(1002)
    static let packageMD5 = RPMTag(1004)
    static let packageSignatureDSA = RPMTag(1005)
    static let packageSignatureOld = RPMTag(1006)
    /// Zeros that make room for signatures.
    static let reservedSpace = RPMTag(1008)

    // MARK: The main header

    static let mainRegion = RPMTag(63)
    static let name = RPMTag(1000)
    static let version = RPMTag(1001)
    static let release = RPMTag(1002)
    static let epoch = RPMTag(1003)
    static let vendor = RPMTag(1011)
    static let architecture = RPMTag(1022)
    /// Which source package this one is from; source packages lack it.
    static let sourcePackage = RPMTag(1044)
    static let archiveSize = RPMTag(1046)
    static let payloadCompressor = RPMTag(1125)
    static let payloadDigest = RPMTag(5092)
    static let payloadDigestAlgorithm = RPMTag(5093)
    /// The version of the format, from 6 on.
    static let format = RPMTag(5114)
}

/// How a value is stored.
enum RPMType: UInt32, Sendable {
    case char = 1
    case int8 = 2
    case int16 = 3
    case int32 = 4
    case int64 = 5
    case string = 6
    case binary = 7
    case stringArray = 8
    case translatedString = 9

    /// The bytes of one item, where that is fixed.
    var width: Int? {
        switch self {
        case .char, .int8, .binary: 1
        case .int16: 2
        case .int32: 4
        case .int64: 8
        case .string, .stringArray, .translatedString: nil
        }
    }

    /// Values start at multiples of this.
    var alignment: Int {
        switch self {
        case .int16: 2
        case .int32: 4
        case .int64: 8
        default: 1
        }
    }
}

/// Where a value of a header is.
struct RPMEntry: Hashable, Sendable {
    var tag: RPMTag
    var type: RPMType
    /// How many items.
    var count: Int
    /// The bytes, counted from the start of the header.
    var range: Range<Int>
}
