// SPDX-License-Identifier: Apache-2.0

/// Why an HTTP/1.1 message was refused, and what a server answers before it closes the connection.
public struct MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    public let status: Status
    public let reason: String

    init(_ reason: String, _ status: Status = .badRequest) {
        self.reason = reason
        self.status = status
    }

    public var description: String { reason }
}
