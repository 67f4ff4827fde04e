// SPDX-License-Identifier: Apache-2.0

import ASN1

/// Any DER at all, taken apart as far as it goes.
indirect enum Tree: Equatable {
    case inner(DERTag, [Tree])
    case leaf(DERTag, [UInt8])
}

extension Tree: DERReadable, DERWritable {
    init(reading reader: inout DERReader) throws {
        guard let tag = reader.nextTag else {
            _ = try reader.elementRange()
            throw ASN1Error(.truncated, at: reader.offset)
        }
        if tag.isConstructed {
            self = .inner(tag, try reader.sequenceOf(tag) { try Tree(reading: &$0) })
        } else {
            self = .leaf(tag, try reader.octetString(tag))
        }
    }

    func write(to writer: inout DERWriter) throws {
        switch self {
        case .leaf(let tag, let contents): writer.octetString(contents, tag)
        case .inner(let tag, let parts):
            try writer.element(tag) { writer in
                for part in parts { try writer.write(part) }
            }
        }
    }
}
