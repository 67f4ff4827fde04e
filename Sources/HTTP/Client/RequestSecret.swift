// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
public import Secrets
internal import Transport

/// A secret that a request carries; several may carry the same.
public final class RequestSecret: Sendable {
    public let bytes: SecretBytes

    public init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    /// Appends it, as another secret needs it.
    public func append(to output: inout OutputSpan<UInt8>) { Self.append(bytes, &output) }

    private static func append(_ bytes: borrowing SecretBytes, _ output: inout OutputSpan<UInt8>) {
        for index in 0..<bytes.count { output.append(bytes.bytes[index]) }
    }

    /// Whether it can stand in a field: visible ASCII alone, so that it ends nothing.
    var isFieldValue: Bool { Self.isFieldValue(bytes) }

    private static func isFieldValue(_ bytes: borrowing SecretBytes) -> Bool {
        var isGood = bytes.count > 0
        for index in 0..<bytes.count where !(0x21...0x7e ~= bytes.bytes[index]) { isGood = false }
        return isGood
    }
}

/// A request on its way out.
enum RequestWire: Sendable {
    case plain([UInt8])
    case secret(RequestSecret)

    var count: Int {
        switch self {
        case .plain(let bytes): bytes.count
        case .secret(let secret): secret.bytes.count
        }
    }

    func write(_ range: Range<Int>, to connection: Connection) {
        switch self {
        case .plain(let bytes): connection.write(bytes.span.extracting(range))
        case .secret(let secret):
            connection.wipesOutput = true
            Self.write(secret.bytes, range, to: connection)
        }
    }

    private static func write(
        _ bytes: borrowing SecretBytes, _ range: Range<Int>, to connection: Connection
    ) {
        connection.write(bytes.bytes.extracting(range))
    }
}
