// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
public import Diagnostics

/// What OpenSSL's error queue of this thread held when a call failed, oldest first.
///
/// It keeps the library's fixed texts alone. The data that OpenSSL attaches to an entry can quote the input, so it is
/// dropped.
public struct OpenSSLError: CodedError, Equatable, CustomStringConvertible {
    /// One entry of the queue.
    public struct Entry: Equatable, Sendable {
        public var library: Int32
        public var reason: Int32
        public var text: String
    }

    /// The call that failed.
    public let operation: String
    public let entries: [Entry]

    public var code: ErrorCode { .cryptographyFailed }
    public var message: String {
        let reasons = entries.isEmpty ? "no reason given" : entries.map(\.text).joined(separator: "; ")
        return "\(operation): \(reasons)"
    }
    public var description: String { message }

    /// Empties this thread's queue.
    init(draining operation: String) {
        self.operation = operation
        var entries: [Entry] = []
        while case let number = ERR_get_error(), number != 0 {
            // The queue holds 16 entries, so this ends.
            let text = unsafe ERR_reason_error_string(number).map { unsafe String(cString: $0) }
            entries.append(
                Entry(
                    library: ERR_GET_LIB(number), reason: ERR_GET_REASON(number),
                    text: text ?? "error \(String(number, radix: 16))"))
        }
        self.entries = entries
    }

    func contains(library: Int32, reason: Int32) -> Bool {
        entries.contains { $0.library == library && $0.reason == reason }
    }
}

/// Passes a call that returns 1 for success; for anything else it drains the error queue and throws.
@inline(__always)
func check(_ result: Int32, _ operation: StaticString) throws(OpenSSLError) {
    guard result == 1 else { throw OpenSSLError(draining: "\(operation)") }
}

/// Passes a call that returns a positive number for success.
@inline(__always)
func checkPositive(_ result: Int32, _ operation: StaticString) throws(OpenSSLError) -> Int {
    guard result > 0 else { throw OpenSSLError(draining: "\(operation)") }
    return Int(result)
}

/// Passes a call that returns `nil` for failure.
@inline(__always)
func check(_ result: OpaquePointer?, _ operation: StaticString) throws(OpenSSLError) -> OpaquePointer {
    guard let result = unsafe result else { throw OpenSSLError(draining: "\(operation)") }
    return unsafe result
}

/// Forgets what a call that may fail left in this thread's queue.
func dropErrors() {
    ERR_clear_error()
}
