// SPDX-License-Identifier: Apache-2.0

internal import Transport

/// Where a service is, as the settings write it.
///
/// ```text
/// endpoint = host ":" port / "[" IPv6 "]" ":" port / "unix:" path
/// host     = 1*253( ALPHA / DIGIT / "." / "-" / "_" )
/// port     = %d1-65535
/// ```
enum EndpointText {
    static func parse(_ text: String) -> Endpoint? {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            return path.isEmpty || path.utf8.count > 107 ? nil : .unix(String(path))
        }
        guard let colon = text.lastIndex(of: ":"),
            case let digits = text[text.index(after: colon)...],
            digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let port = UInt16(digits), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.utf8.allSatisfy(isAddressByte) else { return nil }
        } else {
            guard (1...253).contains(host.utf8.count), host.utf8.allSatisfy(isNameByte) else { return nil }
        }
        return .host(String(host), port: port)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || [0x2d, 0x2e, 0x5f].contains(byte)
        }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: UInt8(ascii: "0")...UInt8(ascii: ":") ~= byte || byte == UInt8(ascii: ".")
        }
    }
}
