// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes

let asn1Targets: [FuzzTarget] = [
    FuzzTarget("der") { input in
        var reader = DERReader(input.span, DER())
        var writer = DERWriter()
        guard (try? copy(&reader, to: &writer)) != nil, reader.isAtEnd else { return }
        guard writer.bytes == input else { throw BrokenPromise("written as \(Hex.encode(writer.bytes))") }
    },
    FuzzTarget("pem") { input in
        guard let blocks = try? PEMBlock.blocks(in: input.span) else { return }
        for block in blocks {
            guard let contents = try? block.decode(from: input.span) else { continue }
            guard contents.count == block.count, !contents.isEmpty else {
                throw BrokenPromise("\(contents.count) bytes, \(block.count) foretold")
            }
            let text = PEMBlock.encode(contents, label: block.label)
            guard try PEMBlock.decode(text, label: block.label) == [contents] else {
                throw BrokenPromise("another block after \(text)")
            }
        }
    },
    FuzzTarget("oid") { input in
        if let oid = OID(contents: input), OID(oid.description)?.contents != input {
            throw BrokenPromise("\(oid) does not come back")
        }
        let text = String(decoding: input, as: UTF8.self)
        if let oid = OID(text), oid.description != text { throw BrokenPromise("\(text) is also \(oid)") }
    },
    FuzzTarget("time") { input in
        var reader = DERReader(input.span, DER())
        guard let time = try? reader.time(), reader.isAtEnd else { return }
        var writer = DERWriter()
        writer.time(time)
        guard writer.bytes == input else { throw BrokenPromise("\(time) has a second form") }
    },
]

/// Reads one element with the verb of its type, and writes what was understood.
private func copy(_ reader: inout DERReader, to writer: inout DERWriter) throws {
    guard let tag = reader.nextTag else {
        _ = try reader.elementRange()
        throw BrokenPromise("an element without a tag")
    }
    switch tag {
    case .boolean: writer.boolean(try reader.boolean())
    case .integer: writer.integer(contents: try reader.integerBytes())
    case .enumerated: writer.integer(try reader.integer(tag), tag)
    case .bitString: writer.bitString(try reader.bitString())
    case .octetString: writer.octetString(try reader.octetString())
    case .null:
        try reader.null()
        writer.null()
    case .oid: writer.oid(try reader.oid())
    case .utf8String: try writer.utf8String(try reader.utf8String())
    case .printableString: try writer.printableString(try reader.printableString())
    case .ia5String: try writer.ia5String(try reader.ia5String())
    case .utcTime: writer.utcTime(try reader.utcTime())
    case .generalizedTime: writer.generalizedTime(try reader.generalizedTime())
    case .t61String, .bmpString, .universalString, .visibleString, .numericString:
        var probe = reader
        _ = try probe.directoryText()
        writer.encoded(try reader.element())
    case .set:
        let elements = try reader.setOf { reader in
            var inner = DERWriter()
            try copy(&reader, to: &inner)
            return inner.bytes
        }
        writer.setOf(elements.reversed()) { $0.encoded($1) }
    case _ where tag.isConstructed:
        var inner = DERWriter()
        _ = try reader.sequenceOf(tag) { try copy(&$0, to: &inner) }
        writer.element(tag) { $0.encoded(inner.bytes) }
    default: writer.octetString(try reader.octetString(tag), tag)
    }
}
