// SPDX-License-Identifier: Apache-2.0

/// Spoils files where it hurts: in the fields of their grammar, and in the length and order of their parts.
public struct Mutator<Generator: RandomNumberGenerator> {
    public var random: Generator

    public init(_ random: Generator) { self.random = random }

    /// One to three changes, each of a field or of the file's parts.
    public mutating func spoil(_ file: [UInt8], fields: [Range<Int>]) -> [UInt8] {
        var file = file
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let fits = fields.filter { $0.upperBound <= file.count }
            if let field = fits.randomElement(using: &random), Int.random(in: 0..<4, using: &random) > 0 {
                set(field, in: &file)
            } else {
                tear(&file)
            }
        }
        return file
    }

    /// A number of little endian that programs stumble over: ends of ranges, and neighbours of what stood there.
    private mutating func set(_ field: Range<Int>, in file: inout [UInt8]) {
        let old = file[field].reversed().reduce(UInt64(0)) { ($0 << 8) | UInt64($1) }
        let count = UInt64(file.count)
        let values: [UInt64] = [
            0, 1, 2, 7, 8, old &+ 1, old &- 1, old &+ 8, old &- 8, old << 1, old >> 1, count, count &- 1,
            count &+ 1,
            count &- old, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
            0xffff_fff8, .max, .max >> 1, UInt64.random(in: 0...count, using: &random),
        ]
        let value = values.randomElement(using: &random) ?? 0
        for (index, place) in field.enumerated() {
            file[place] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
        }
    }

    private mutating func tear(_ file: inout [UInt8]) {
        let count = file.count
        let place = Int.random(in: 0...count, using: &random)
        let length = min(Int.random(in: 0...64, using: &random), count - place)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: file.removeLast(count - place)
        case 1: file.removeSubrange(place..<place + length)
        case 2: file.insert(contentsOf: file[place..<place + length], at: place)
        case 3: file += [UInt8](repeating: 0, count: length)
        case 4: if place < count { file[place] ^= 1 << UInt8.random(in: 0...7, using: &random) }
        default: if place < count { file[place] = UInt8.random(in: 0...255, using: &random) }
        }
    }

    /// Spoils an element of a DER structure, as deep as one is found: its tag, its length, its presence or its contents.
    /// The lengths around it are put right most of the time, so that the change is all that is wrong.
    public mutating func spoil(der: [UInt8]) -> [UInt8] {
        guard let element = DERElement(der, 0) else { return der }
        var all: [DERElement] = []
        element.collect(der, into: &all, depth: 0)
        guard let victim = all.randomElement(using: &random) else { return der }
        let whole = Array(der[victim.range])
        let contents = Array(der[victim.contents])
        var new = whole
        switch Int.random(in: 0..<8, using: &random) {
        case 0: new = []
        case 1: new = whole + whole
        case 2: new[0] = UInt8.random(in: 0...255, using: &random)
        case 3: new = DERElement.encode(whole[0], contents + [0])
        case 4: new = DERElement.encode(whole[0], contents.dropLast())
        case 5: new = DERElement.encode(whole[0], [0] + contents)
        case 6:
            if let other = all.randomElement(using: &random) { new = Array(der[other.range]) }
        default:
            if !contents.isEmpty {
                var changed = contents
                changed[Int.random(in: changed.indices, using: &random)] ^=
                    1 << UInt8.random(in: 0...7, using: &random)
                new = DERElement.encode(whole[0], changed)
            }
        }
        let keepsLengths = Int.random(in: 0..<8, using: &random) == 0
        return element.replacing(victim.range, with: new, in: der, keepsLengths: keepsLengths)
    }
}

/// Where an element of DER lies.
private struct DERElement {
    let range: Range<Int>
    let contents: Range<Int>
    let isConstructed: Bool

    init?(_ bytes: [UInt8], _ place: Int) {
        guard place + 1 < bytes.count else { return nil }
        var start = place + 2
        var length = Int(bytes[place + 1])
        if length >= 0x80 {
            let count = length & 0x7f
            guard 1...3 ~= count, start + count <= bytes.count else { return nil }
            length = bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
            start += count
        }
        guard length <= bytes.count - start else { return nil }
        contents = start..<start + length
        range = place..<start + length
        isConstructed = bytes[place] & 0x20 != 0
    }

    func children(_ bytes: [UInt8]) -> [DERElement] {
        guard isConstructed else { return [] }
        var found: [DERElement] = []
        var place = contents.lowerBound
        while place < contents.upperBound, let child = DERElement(bytes, place) {
            found.append(child)
            place = child.range.upperBound
        }
        return found
    }

    func collect(_ bytes: [UInt8], into all: inout [DERElement], depth: Int) {
        all.append(self)
        guard depth < 16 else { return }
        for child in children(bytes) { child.collect(bytes, into: &all, depth: depth + 1) }
    }

    func replacing(_ place: Range<Int>, with new: [UInt8], in bytes: [UInt8], keepsLengths: Bool) -> [UInt8] {
        if range == place { return new }
        guard range.lowerBound <= place.lowerBound, place.upperBound <= range.upperBound else {
            return Array(bytes[range])
        }
        let parts = children(bytes)
        guard !parts.isEmpty else { return Array(bytes[range]) }
        let inside = parts.flatMap { $0.replacing(place, with: new, in: bytes, keepsLengths: keepsLengths) }
        if keepsLengths { return Array(bytes[range.lowerBound..<contents.lowerBound]) + inside }
        return Self.encode(bytes[range.lowerBound], inside)
    }

    static func encode(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let count = contents.count
        switch count {
        case ..<0x80: return [tag, UInt8(count)] + contents
        case ..<0x100: return [tag, 0x81, UInt8(count)] + contents
        case ..<0x10000: return [tag, 0x82, UInt8(count >> 8), UInt8(count & 0xff)] + contents
        default:
            return [tag, 0x83, UInt8(count >> 16 & 0xff), UInt8(count >> 8 & 0xff), UInt8(count & 0xff)]
                + contents
        }
    }
}
