// SPDX-License-Identifier: Apache-2.0

/// A frame as it stands on the wire, well-formed or not.
struct Frame: Equatable {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9

    static let endStream: UInt8 = 0x1
    static let acknowledge: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let withPriority: UInt8 = 0x20

    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    init(_ type: UInt8, _ flags: UInt8 = 0, _ stream: UInt32, _ payload: [UInt8] = []) {
        self.type = type
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    var bytes: [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
            + number(stream) + payload
    }

    var endsStream: Bool {
        (type == Self.data || type == Self.headers) && flags & Self.endStream != 0
    }

    /// The error code that RST_STREAM and GOAWAY bear.
    var code: ErrorNumber? {
        switch type {
        case Self.reset where payload.count == 4: ErrorNumber(Self.value(payload[...]))
        case Self.goAway where payload.count >= 8: ErrorNumber(Self.value(payload[4..<8]))
        default: nil
        }
    }

    private static func value(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Error codes, RFC 9113 section 7.
enum ErrorNumber: UInt32 {
    case noError, protocolError, internalError, flowControl, settingsTimeout, streamClosed, frameSize
    case refusedStream, cancel, compression, connect, enhanceYourCalm, inadequateSecurity, http11Required

    init?(_ number: UInt32) { self.init(rawValue: number) }
}

/// Four bytes, big-endian.
func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }

// MARK: - Frames of the cases

func headers(_ stream: UInt32, _ block: [UInt8], end: Bool = true, endHeaders: Bool = true, flags: UInt8 = 0)
    -> [UInt8]
{
    let ends = (end ? Frame.endStream : 0) | (endHeaders ? Frame.endHeaders : 0)
    return Frame(Frame.headers, ends | flags, stream, block).bytes
}

func continuation(_ stream: UInt32, _ block: [UInt8], end: Bool = true) -> [UInt8] {
    Frame(Frame.continuation, end ? Frame.endHeaders : 0, stream, block).bytes
}

func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = true, flags: UInt8 = 0) -> [UInt8] {
    Frame(Frame.data, (end ? Frame.endStream : 0) | flags, stream, bytes).bytes
}

func priority(_ stream: UInt32, on other: UInt32 = 0, weight: UInt8 = 15, exclusive: Bool = false) -> [UInt8]
{
    Frame(Frame.priority, 0, stream, number(other | (exclusive ? 1 << 31 : 0)) + [weight]).bytes
}

func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] {
    Frame(Frame.reset, 0, stream, number(code)).bytes
}

func settings(_ entries: (UInt16, UInt32)...) -> [UInt8] {
    Frame(
        Frame.settings, 0, 0,
        entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + number($0.1) }
    ).bytes
}

let settingsAcknowledged = Frame(Frame.settings, Frame.acknowledge, 0).bytes

func ping(_ payload: [UInt8] = Array("pingping".utf8), flags: UInt8 = 0) -> [UInt8] {
    Frame(Frame.ping, flags, 0, payload).bytes
}

func goAway(_ code: UInt32 = 0, stream: UInt32 = 0) -> [UInt8] {
    Frame(Frame.goAway, 0, stream, number(0) + number(code)).bytes
}

func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
    Frame(Frame.windowUpdate, 0, stream, number(increment)).bytes
}
