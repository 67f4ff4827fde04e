// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Signatures

extension RPMFront {
    /// Tags that hold one OpenPGP signature.
    static let packetTags: [RPMTag] = [
        .headerSignatureDSA, .headerSignatureRSA, .packageSignatureRSA, .packageSignatureDSA,
        .packageSignatureOld,
    ]
    /// Those, and the one that holds any number.
    static let signatureTags = Set(packetTags + [.headerSignatures])

    /// The signatures of the main header that are there, as packets.
    var headerSignatures: [[UInt8]] {
        let packets = [RPMTag.headerSignatureRSA, .headerSignatureDSA].compactMap { signature.binary($0) }
        let texts = signature.texts(.headerSignatures).compactMap { try? Base64.standard.decode($0) }
        return packets.map { Array($0) } + texts
    }

    /// The signatures of header and payload.
    var packageSignatures: [[UInt8]] {
        let tags = [RPMTag.packageSignatureRSA, .packageSignatureDSA, .packageSignatureOld]
        return tags.compactMap { signature.binary($0).map { Array($0) } }
    }

    /// The signature header with one more signature in the place of its algorithm.
    func signed(by packet: [UInt8], isLegacy: Bool, replacing: Bool) throws(ArtifactError) -> RPMHeader {
        let made = try OpenPGPSignature(reading: packet)
        // RSA has three numbers in the format, two of them of old.
        let isRSA = (1...3).contains(made.keyAlgorithmNumber)
        let tag: RPMTag =
            isLegacy
            ? isRSA ? .packageSignatureRSA : .packageSignatureDSA
            : isRSA ? .headerSignatureRSA : .headerSignatureDSA
        var values = RPMValue.all(of: signature)
        if replacing { values.removeAll { Self.signatureTags.contains($0.tag) } }
        if let present = values.first(where: { $0.tag == tag }) {
            guard (try? OpenPGPSignature(reading: present.bytes))?.issuerKeyID == made.issuerKeyID else {
                throw ArtifactError(
                    .artifactSigned,
                    "the package has another key's signature, and room for one by that algorithm alone")
            }
            values.removeAll { $0.tag == tag }
        }
        values.append(RPMValue(tag: tag, type: .binary, count: packet.count, bytes: packet))
        return try fitted(values)
    }

    /// The signature header without any OpenPGP signature; nil when there is none.
    func stripped() throws(ArtifactError) -> RPMHeader? {
        let values = RPMValue.all(of: signature)
        let left = values.filter { !Self.signatureTags.contains($0.tag) }
        return left.count == values.count ? nil : try fitted(left)
    }

    /// The values as a header of the same length, by giving room to the reserved space or taking it from there. Where
    /// it does not suffice, the space goes and the payload has to move.
    private func fitted(_ values: [RPMValue]) throws(ArtifactError) -> RPMHeader {
        var values = values.sorted { $0.tag < $1.tag }
        // What is not zero there is something else than space.
        guard
            let place = values.firstIndex(where: {
                $0.tag == .reservedSpace && $0.bytes.allSatisfy { $0 == 0 }
            })
        else { return try RPMHeader(RPMValue.encode(values, .signature), .signature) }
        values[place].reserve(1)
        let least = RPMValue.encode(values, .signature).count
        let room = 1 + signature.bytes.count - least
        if room >= 1 {
            // Values behind the space may move by their alignment: a few bytes less are tried too.
            for count in stride(from: room, through: max(1, room - 8), by: -1) {
                values[place].reserve(count)
                let bytes = RPMValue.encode(values, .signature)
                if bytes.count == signature.bytes.count { return try RPMHeader(bytes, .signature) }
            }
        }
        values.remove(at: place)
        return try RPMHeader(RPMValue.encode(values, .signature), .signature)
    }

    /// How the file changes when it gets another signature header.
    func effect(of header: RPMHeader) -> Patch.Effect {
        let start = Self.leadCount
        if header.bytes.count == signature.bytes.count {
            return .exchanged(at: start, old: signature.bytes, new: header.bytes)
        }
        return .rewritten([.kept(0..<start), .new(Self.padded(header)), .kept(mainStart..<size)])
    }

    /// A signature header with the zeros behind it, as it stands in a file.
    static func padded(_ header: RPMHeader) -> [UInt8] {
        header.bytes + [UInt8](repeating: 0, count: padded(header.bytes.count) - header.bytes.count)
    }
}

/// A value of a header, apart from it.
struct RPMValue: Sendable {
    var tag: RPMTag
    var type: RPMType
    var count: Int
    var bytes: [UInt8]

    static func all(of header: RPMHeader) -> [RPMValue] {
        header.entries.map {
            RPMValue(tag: $0.tag, type: $0.type, count: $0.count, bytes: Array(header.bytes[$0.range]))
        }
    }

    mutating func reserve(_ count: Int) {
        self.count = count
        bytes = [UInt8](repeating: 0, count: count)
    }

    /// The grammar stands at `RPMHeader`. The values are in the order of their tags.
    static func encode(_ values: [RPMValue], _ region: RPMHeader.Region) -> [UInt8] {
        let tag = region == .main ? RPMTag.mainRegion : .signatureRegion
        var index = ByteWriter(reserving: 16 * values.count)
        var data = ByteWriter()
        for value in values {
            while !data.count.isMultiple(of: value.type.alignment) { data.write(UInt8(0)) }
            for number in [value.tag.rawValue, value.type.rawValue, UInt32(data.count), UInt32(value.count)] {
                index.write(number)
            }
            data.write(value.bytes)
        }
        let number = values.count + 1
        var header = ByteWriter(reserving: 48 + index.count + data.count)
        header.write(RPMHeader.magic)
        header.write(UInt32(number))
        header.write(UInt32(data.count + 16))
        for field in [tag.rawValue, RPMType.binary.rawValue, UInt32(data.count), 16] { header.write(field) }
        header.write(index.bytes)
        header.write(data.bytes)
        for field in [tag.rawValue, RPMType.binary.rawValue, UInt32(truncatingIfNeeded: -16 * number), 16] {
            header.write(field)
        }
        return header.bytes
    }
}

extension OpenPGPSignature {
    /// One packet that names its issuer, as an error of this room when it is none.
    init(reading packet: [UInt8]) throws(ArtifactError) {
        do {
            self = try OpenPGPSignature(packet.span)
        } catch {
            throw ArtifactError(.artifactMalformed, "what should be an OpenPGP signature: \(error)")
        }
        guard issuerKeyID != nil else {
            throw ArtifactError(.artifactMalformed, "an OpenPGP signature does not name its issuer")
        }
    }
}
