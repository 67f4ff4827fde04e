// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import HTTP2

/// The framing of messages and what stands in heads.
let grpcTargets: [FuzzTarget] = [
    FuzzTarget("grpc-messages") { input in
        // The first byte says in what pieces the rest comes.
        let step = Int(input.first ?? 0) % 17 + 1
        let bytes = Array(input.dropFirst())
        let whole = decode(bytes, step: max(1, bytes.count))
        let pieces = decode(bytes, step: step)
        guard whole == pieces else { throw BrokenPromise("pieces of \(step) bytes make other messages") }
        let again = whole.messages.flatMap { MessageDecoder.prefix(of: $0).bytes + $0 }
        guard bytes.starts(with: again) else { throw BrokenPromise("the messages encode to other bytes") }
        guard whole.messages.allSatisfy({ $0.count <= limit }) else { throw BrokenPromise("over the limit") }
    },
    FuzzTarget("grpc-timeout") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let timeout = Timeout.parse(text) else { return }
        let written = Timeout.format(timeout)
        guard let again = Timeout.parse(written), again >= timeout, again - timeout <= .seconds(3600) else {
            throw BrokenPromise("\(text) is \(timeout) and is written \(written)")
        }
    },
    FuzzTarget("grpc-metadata") { input in
        // Lines of `name value`, as a peer may send them.
        var fields = HeaderFields()
        for line in input.split(separator: 0x0a) {
            let name = Array(line.prefix { $0 != 0x20 })
            let value = Array(line.dropFirst(name.count + 1))
            fields.append(name: name.span, value: value.span)
        }
        let metadata = Metadata(fields)
        for index in 0..<fields.count {
            let name = fields.name(at: index)
            _ = metadata.bytes(of: name)
            let message = StatusMessage.decode(fields.value(at: index))
            let encoded = StatusMessage.encode(message)
            guard encoded.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw BrokenPromise("an encoded message that may not stand in a head")
            }
            if encoded.utf8.count < StatusMessage.limit, StatusMessage.decode(encoded) != message {
                throw BrokenPromise("\(message) does not survive its encoding")
            }
        }
        var sent = HeaderFields()
        metadata.write(to: &sent)
        for index in 0..<sent.count where sent.name(at: index).hasPrefix(":") {
            throw BrokenPromise("a field of the protocol is handed on")
        }
        var again = HeaderFields()
        Metadata(sent).write(to: &again)
        guard again == sent else { throw BrokenPromise("handing on twice changes something") }
    },
]

private let limit = 1 << 16

private struct Decoded: Equatable {
    var messages: [[UInt8]] = []
    var status: CallStatus?
    var isInMessage = false
}

private func decode(_ bytes: [UInt8], step: Int) -> Decoded {
    var decoder = MessageDecoder(limit: limit)
    var decoded = Decoded()
    do throws(CallStatus) {
        for start in stride(from: 0, to: bytes.count, by: step) {
            let piece = Array(bytes[start..<min(start + step, bytes.count)])
            var offset = 0
            while let message = try decoder.next(piece.span, from: &offset) {
                decoded.messages.append(message)
            }
        }
        decoded.isInMessage = decoder.isInMessage
    } catch {
        decoded.status = error
    }
    return decoded
}
