// SPDX-License-Identifier: Apache-2.0

internal import Bytes

let bytesTargets: [FuzzTarget] = [
    FuzzTarget("varint") { input in
        var reader = ByteReader(input.span)
        guard let value = try? reader.readVarint() else { return }
        var writer = ByteWriter()
        writer.writeVarint(value)
        guard writer.count <= reader.offset else {
            throw BrokenPromise("\(value) takes more bytes than were read")
        }
        var again = ByteReader(writer.bytes.span)
        guard try again.readVarint() == value else { throw BrokenPromise("\(value) does not come back") }
    },
    FuzzTarget("hex") { input in
        for letters in [Hex.Letters.lower, .upper] {
            guard let bytes = try? Hex.decode(input.span, letters) else { continue }
            guard Array(Hex.encode(bytes, letters).utf8) == input else {
                throw BrokenPromise("a second spelling of \(Hex.encode(bytes))")
            }
        }
    },
    FuzzTarget("base64") { input in
        for variant in [Base64.standard, .standardUnpadded, .url, .urlPadded] {
            guard let bytes = try? variant.decode(input.span) else { continue }
            guard Array(variant.encode(bytes).utf8) == input else {
                throw BrokenPromise("a second spelling of \(Hex.encode(bytes))")
            }
        }
    },
]
