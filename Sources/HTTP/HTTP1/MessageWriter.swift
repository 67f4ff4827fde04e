// SPDX-License-Identifier: Apache-2.0

internal import HTTP2

/// Writes heads of HTTP/1.1. What goes in has been checked.
enum MessageWriter {
    static func response(_ status: Status, _ fields: HeaderFields) -> [UInt8] {
        head("HTTP/1.1 \(status.rawValue) \(status.reason)", fields)
    }

    static func request(_ method: Method, _ target: String, _ fields: HeaderFields) -> [UInt8] {
        head("\(method) \(target) HTTP/1.1", fields)
    }

    private static func head(_ start: String, _ fields: HeaderFields) -> [UInt8] {
        var bytes = Array(start.utf8)
        bytes.reserveCapacity(bytes.count + fields.listSize)
        bytes += [0x0d, 0x0a]
        for index in 0..<fields.count {
            bytes += fields.name(at: index).utf8
            bytes += [0x3a, 0x20]
            bytes += fields.value(at: index).utf8
            bytes += [0x0d, 0x0a]
        }
        bytes += [0x0d, 0x0a]
        return bytes
    }
}
