// SPDX-License-Identifier: Apache-2.0

public import Bytes

// Elements that hold a value and no other elements.
extension FormatReader where Format == DER {
    public mutating func boolean(_ tag: DERTag = .boolean) throws(ASN1Error) -> Bool {
        let (start, length) = (offset, try contents(tag))
        guard length == 1 else { throw ASN1Error(.badValue, at: start) }
        switch try takeByte() {
        case 0: return false
        case 0xff: return true
        default: throw ASN1Error(.notCanonical, at: start)
        }
    }

    /// `BOOLEAN DEFAULT false`, so that an encoded `false` is refused.
    public mutating func booleanDefaultingToFalse(_ tag: DERTag = .boolean) throws(ASN1Error) -> Bool {
        guard isNext(tag) else { return false }
        let start = offset
        guard try boolean(tag) else { throw ASN1Error(.notCanonical, at: start) }
        return true
    }

    /// An INTEGER's contents: big endian two's complement, the shortest form, at most `limit` bytes.
    public mutating func integerBytes(_ tag: DERTag = .integer, limit: Int = 4096) throws(ASN1Error)
        -> [UInt8]
    {
        try take(try integerLength(tag, limit: limit))
    }

    /// The big-endian bytes of an INTEGER that is not negative, without zeros in front; none for zero.
    public mutating func magnitude(_ tag: DERTag = .integer, limit: Int = 4096) throws(ASN1Error) -> [UInt8] {
        let start = offset
        var value = try integerBytes(tag, limit: limit < .max ? limit + 1 : limit)
        guard value[0] < 0x80 else { throw ASN1Error(.badValue, at: start) }
        if value[0] == 0 { value.removeFirst() }
        guard value.count <= limit else { throw ASN1Error(.overLimit, at: start) }
        return value
    }

    /// An INTEGER (or, with its tag, an ENUMERATED) of at most 64 bits.
    public mutating func integer(_ tag: DERTag = .integer) throws(ASN1Error) -> Int {
        let length = try integerLength(tag, limit: 8)
        var value = Int(Int8(truncatingIfNeeded: Int(try takeByte())))
        for _ in 1..<length { value = value << 8 | Int(try takeByte()) }
        return value
    }

    /// The length of an INTEGER's contents, which come next and are the shortest form.
    private mutating func integerLength(_ tag: DERTag, limit: Int) throws(ASN1Error) -> Int {
        let (start, length) = (offset, try contents(tag))
        guard length > 0 else { throw ASN1Error(.badValue, at: start) }
        guard length <= limit else { throw ASN1Error(.overLimit, at: start) }
        let rest = bytes.rest
        if length > 1, rest[0] == 0 && rest[1] < 0x80 || rest[0] == 0xff && rest[1] > 0x7f {
            throw ASN1Error(.notCanonical, at: start)
        }
        return length
    }

    public mutating func bitString(_ tag: DERTag = .bitString, limit: Int = .max) throws(ASN1Error)
        -> BitString
    {
        let (start, length) = (offset, try contents(tag))
        guard length > 0 else { throw ASN1Error(.badValue, at: start) }
        guard length - 1 <= limit else { throw ASN1Error(.overLimit, at: start) }
        let unused = Int(try takeByte())
        let value = try take(length - 1)
        guard unused < 8, unused == 0 || length > 1 else { throw ASN1Error(.badValue, at: start) }
        guard let bits = BitString(value, unusedBits: unused) else {
            throw ASN1Error(.notCanonical, at: start)
        }
        return bits
    }

    /// A BIT STRING with named bits, which ends with a bit that is set; the number of the first bit is 0.
    public mutating func namedBits(_ tag: DERTag = .bitString) throws(ASN1Error) -> BitString {
        let start = offset
        let bits = try bitString(tag, limit: 64)
        guard bits.count == 0 || bits[bits.count - 1] else { throw ASN1Error(.notCanonical, at: start) }
        return bits
    }

    public mutating func octetString(_ tag: DERTag = .octetString, limit: Int = .max) throws(ASN1Error)
        -> [UInt8]
    {
        let (start, length) = (offset, try contents(tag))
        guard length <= limit else { throw ASN1Error(.overLimit, at: start) }
        return try take(length)
    }

    /// An OCTET STRING's bytes where they lie.
    public mutating func withOctetString<Value>(
        _ tag: DERTag = .octetString, _ body: (Span<UInt8>) throws -> Value
    ) throws -> Value {
        try body(try bytes.readSpan(try contents(tag)))
    }

    /// Appends an OCTET STRING's bytes to `output`, as a secret needs it.
    public mutating func octetString(
        _ tag: DERTag = .octetString, into output: inout OutputSpan<UInt8>
    ) throws(ASN1Error) {
        let length = try contents(tag)
        do { try output.append(copying: try bytes.readSpan(length)) } catch { throw ASN1Error(error) }
    }

    public mutating func null(_ tag: DERTag = .null) throws(ASN1Error) {
        let start = offset
        guard try contents(tag) == 0 else { throw ASN1Error(.badValue, at: start) }
    }

    public mutating func oid(_ tag: DERTag = .oid) throws(ASN1Error) -> OID {
        let (start, length) = (offset, try contents(tag))
        guard length <= OID.limit, let oid = OID(contents: try take(length)) else {
            throw ASN1Error(.badOID, at: start)
        }
        return oid
    }

    // MARK: Times

    public mutating func utcTime(_ tag: DERTag = .utcTime) throws(ASN1Error) -> ASN1Time {
        let (start, length) = (offset, try contents(tag))
        guard length == 13, let time = ASN1Time(utcTime: try take(length)) else {
            throw ASN1Error(.badTime, at: start)
        }
        return time
    }

    public mutating func generalizedTime(_ tag: DERTag = .generalizedTime) throws(ASN1Error) -> ASN1Time {
        let (start, length) = (offset, try contents(tag))
        guard length == 15, let time = ASN1Time(generalizedTime: try take(length)) else {
            throw ASN1Error(.badTime, at: start)
        }
        return time
    }

    /// `Time` of X.509 (RFC 5280, 4.1.2.5): UTCTime from 1950 to 2049, GeneralizedTime in all other years.
    public mutating func time() throws(ASN1Error) -> ASN1Time {
        if isNext(.utcTime) { return try utcTime() }
        let start = offset
        let time = try generalizedTime()
        guard !time.fitsUTCTime else { throw ASN1Error(.notCanonical, at: start) }
        return time
    }

    private mutating func takeByte() throws(ASN1Error) -> UInt8 {
        do { return try bytes.readUInt8() } catch { throw ASN1Error(error) }
    }

    /// The next `length` bytes, copied. The length was checked against what is left.
    mutating func take(_ length: Int) throws(ASN1Error) -> [UInt8] {
        do { return try bytes.readArray(length) } catch { throw ASN1Error(error) }
    }
}
