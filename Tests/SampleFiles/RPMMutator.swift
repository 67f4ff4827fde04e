// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Makes wrong and odd packages out of a good one, by what the format is made of: values that are missing, doubled,
/// swapped, of another type, count or place; headers that announce too much; parts that are cut off, moved or joined.
public struct RPMMutator {
    private var sample: SampleRPM

    public init() {
        sample = SampleRPM()
        sample.files = 2
        sample.payload = .noise(count: 600, seed: 9)
    }

    /// One package, and what was done to it.
    public func package(using generator: inout some RandomNumberGenerator) -> (bytes: [UInt8], words: String)
    {
        var words: [String] = []
        var sample = sample
        sample.isSource = Bool.random(using: &generator)
        sample.hasPayloadDigest = Int.random(in: 0..<4, using: &generator) > 0
        sample.reservedSpace = [nil, 1, 64, 4128].randomElement(using: &generator) ?? nil
        var main = Self.builder(of: sample.mainHeader, 63)
        if Int.random(in: 0..<3, using: &generator) == 0 {
            words.append("main " + Self.change(&main, &generator))
        }
        let mainBytes = main.bytes
        var signature = Self.builder(of: sample.signatureHeader(for: mainBytes), 62)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            words.append("signature " + Self.change(&signature, &generator))
        }
        var start = signature.bytes
        start += [UInt8](repeating: 0, count: -start.count & 7)
        var payload: [UInt8] = []
        if case .noise = sample.payload { payload = Array(sample.tail.suffix(sample.payload.count)) }
        var bytes = sample.lead + start + mainBytes + payload
        if words.isEmpty || Int.random(in: 0..<3, using: &generator) == 0 {
            words.append(Self.damage(&bytes, header: 96, &generator))
        }
        return (bytes, words.joined(separator: ", "))
    }

    // MARK: Values

    /// A header taken apart again; the builder made it.
    private static func builder(of header: [UInt8], _ region: UInt32) -> HeaderBuilder {
        func word(_ place: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(header[place + $1]) } }
        var builder = HeaderBuilder(region: region)
        let number = word(8)
        let data = 16 + 16 * number
        let places = (1..<number).map { word(16 + 16 * $0 + 8) } + [header.count - 16 - data]
        for index in 1..<number {
            let entry = 16 + 16 * index
            // Zeros before the next value belong to its alignment; the type tells the length of numbers.
            let width = [3: 2, 4: 4, 5: 8][word(entry + 4)]
            let end = width.map { places[index - 1] + $0 * word(entry + 12) } ?? places[index]
            var bytes = Array(header[data + places[index - 1]..<data + min(end, places[index])])
            if width == nil, index < number - 1, word(entry + 16 + 4) != word(entry + 4) {
                let last = bytes.lastIndex { $0 != 0 } ?? -1
                let isText = [6, 8, 9].contains(word(entry + 4))
                if isText, word(entry + 12) == 1 { bytes = Array(bytes[...last]) + [0] }
            }
            builder.values.append(
                HeaderBuilder.Value(
                    tag: UInt32(word(entry)), type: UInt32(word(entry + 4)), count: UInt32(word(entry + 12)),
                    data: bytes))
        }
        return builder
    }

    private static func change(
        _ header: inout HeaderBuilder, _ generator: inout some RandomNumberGenerator
    ) -> String {
        guard let index = header.values.indices.randomElement(using: &generator) else { return "empty" }
        let tag = header.values[index].tag
        switch Int.random(in: 0..<11, using: &generator) {
        case 0:
            header.values.remove(at: index)
            return "without \(tag)"
        case 1:
            header.values.insert(header.values[index], at: index)
            return "\(tag) twice"
        case 2:
            let other = Int.random(in: header.values.indices, using: &generator)
            header.values.swapAt(index, other)
            return "\(tag) elsewhere"
        case 3:
            header.values[index].type = .random(in: 0...10, using: &generator)
            return "\(tag) of type \(header.values[index].type)"
        case 4:
            let counts: [UInt32] = [0, 1, 2, 255, 65_536, 0x7fff_ffff, 0xffff_ffff]
            header.values[index].count = counts.randomElement(using: &generator) ?? 0
            return "\(tag) \(header.values[index].count) times"
        case 5:
            header.values[index].data = []
            return "\(tag) empty"
        case 6:
            if let place = header.values[index].data.indices.randomElement(using: &generator) {
                header.values[index].data[place] = .random(in: 0...255, using: &generator)
            }
            return "\(tag) changed"
        case 7:
            header.values[index].data += [0]
            return "\(tag) longer"
        case 8:
            let tags: [UInt32] = [
                0, 61, 62, 63, 99, 100, 256, 274, 276, 278, 999, 1008, 1046, 5114, 0xffff_ffff,
            ]
            header.values[index].tag = tags.randomElement(using: &generator) ?? 0
            return "\(tag) as \(header.values[index].tag)"
        case 9:
            let unknown = HeaderBuilder.Value(
                tag: .random(in: 280...998, using: &generator), type: 7, count: 3, data: [1, 2, 3])
            let place = header.values.firstIndex { $0.tag > unknown.tag } ?? header.values.endIndex
            header.values.insert(unknown, at: place)
            return "with \(unknown.tag)"
        default:
            header.region = [61, 62, 63, 64, 0].randomElement(using: &generator) ?? 0
            return "of region \(header.region)"
        }
    }

    // MARK: Bytes

    private static func damage(
        _ bytes: inout [UInt8], header: Int, _ generator: inout some RandomNumberGenerator
    ) -> String {
        switch Int.random(in: 0..<7, using: &generator) {
        case 0:
            bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator))
            return "cut off at \(bytes.count)"
        case 1:
            bytes += [UInt8](repeating: 0, count: Int.random(in: 1...20, using: &generator))
            return "longer"
        case 2:
            // Numbers of entries and bytes.
            let place = header + Int.random(in: 8..<16, using: &generator)
            bytes[place] = .random(in: 0...255, using: &generator)
            return "announces otherwise"
        case 3:
            let place = Int.random(in: 0..<header, using: &generator)
            bytes[place] = .random(in: 0...255, using: &generator)
            return "lead changed at \(place)"
        case 4:
            let range = header..<min(bytes.count, header + 400)
            for _ in 0..<3 {
                bytes[Int.random(in: range, using: &generator)] ^=
                    UInt8(1) << UInt8.random(in: 0...7, using: &generator)
            }
            return "three bits"
        case 5:
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 16)], at: place)
            return "an entry doubled at \(place)"
        default:
            bytes += bytes
            return "two packages"
        }
    }
}
