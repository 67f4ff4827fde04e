// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Keyring
internal import Secrets

/// What is said on the socket of the provider `socket`: one JSON object each way.
///
/// ```
/// request = { "method": "wrap", "key": BASE64, "associated_data": BASE64 }
///         / { "method": "unwrap", "wrapping_key": TEXT, "version": TEXT, "ciphertext": BASE64, "associated_data": BASE64 }
///         / { "method": "health" }
/// answer  = { "wrapping_key": TEXT, "version": TEXT, "ciphertext": BASE64 }     ; to wrap
///         / { "key": BASE64 }                                                 ; to unwrap
///         / { "status": "ok" }                                                ; to health
///         / { "error": "unavailable" / "refused" / "unknown-key", "message": TEXT }
/// ```
/// Every value is a string without escapes, at most 64 KiB in all. Both messages are in secret memory, since either may hold
/// a key.
struct SocketMessage {
    /// The members of an answer, by their places.
    private var members: [String: Range<Int>] = [:]

    static let largest = 1 << 16
    private static let mostMembers = 16

    // MARK: Requests

    static func wrap(_ key: borrowing SecretBytes, _ associatedData: [UInt8]) throws -> SecretBytes {
        let head = Array("{\"method\":\"wrap\",\"key\":\"".utf8)
        let tail = Array("\",\"associated_data\":\"\(Base64.standard.encode(associatedData))\"}\n".utf8)
        let base64 = Base64.standard
        return try SecretBytes(capacity: head.count + base64.encodedCount(key.count) + tail.count) { output in
            for byte in head { output.append(byte) }
            try base64.encode(key.bytes, into: &output)
            for byte in tail { output.append(byte) }
        }
    }

    static func unwrap(_ wrapped: WrappedSecret, _ associatedData: [UInt8]) throws -> SecretBytes {
        guard isPlain(wrapped.key), isPlain(wrapped.version),
            wrapped.ciphertext.count <= WrappedSecret.largest
        else { throw KMSError(.kmsRefused, "the wrapped key names a key or version that no service has") }
        return try plain(
            """
            {"method":"unwrap","wrapping_key":"\(wrapped.key)","version":"\(wrapped.version)",\
            "ciphertext":"\(Base64.standard.encode(wrapped.ciphertext))","associated_data":"\(Base64.standard.encode(associatedData))"}

            """)
    }

    static func health() throws -> SecretBytes { try plain("{\"method\":\"health\"}\n") }

    private static func plain(_ text: String) throws -> SecretBytes {
        let bytes = Array(text.utf8)
        return try SecretBytes(copying: bytes.span)
    }

    private static func isPlain(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                0x20...0x7e ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }

    // MARK: Answers

    /// Reads an object of strings; `nil` for anything else.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count <= Self.largest else { return nil }
        var offset = 0
        func skip() {
            while offset < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[offset]) { offset += 1 }
        }
        func take(_ byte: UInt8) -> Bool {
            skip()
            guard offset < bytes.count, bytes[offset] == byte else { return false }
            offset += 1
            return true
        }
        func text() -> Range<Int>? {
            guard take(UInt8(ascii: "\"")) else { return nil }
            let start = offset
            while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
                guard bytes[offset] >= 0x20, bytes[offset] != UInt8(ascii: "\\") else { return nil }
                offset += 1
            }
            guard offset < bytes.count else { return nil }
            defer { offset += 1 }
            return start..<offset
        }
        guard take(UInt8(ascii: "{")) else { return nil }
        if !take(UInt8(ascii: "}")) {
            repeat {
                guard let name = text(), name.count <= 32, take(UInt8(ascii: ":")), let value = text(),
                    members.count < Self.mostMembers
                else { return nil }
                let key = String(decoding: [UInt8](copying: bytes.extracting(name)), as: UTF8.self)
                guard members.updateValue(value, forKey: key) == nil else { return nil }
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { return nil }
        }
        skip()
        guard offset == bytes.count else { return nil }
    }

    /// What is not secret, such as a message: visible ASCII alone, the rest is left out.
    func text(_ name: String, of bytes: Span<UInt8>, limit: Int = 256) -> String? {
        guard let place = members[name] else { return nil }
        let value = [UInt8](copying: bytes.extracting(place)).prefix(limit).filter { 0x20...0x7e ~= $0 }
        return String(decoding: value, as: UTF8.self)
    }

    func bytes(_ name: String, of bytes: Span<UInt8>) -> [UInt8]? {
        guard let place = members[name] else { return nil }
        let text = String(decoding: [UInt8](copying: bytes.extracting(place)), as: UTF8.self)
        return try? Base64.standard.decode(text)
    }

    func secret(_ name: String, of bytes: Span<UInt8>) throws -> SecretBytes? {
        guard let place = members[name] else { return nil }
        let base64 = Base64.standard
        do {
            return try SecretBytes(capacity: base64.decodedCapacity(place.count)) { output in
                try base64.decode(bytes.extracting(place), into: &output)
            }
        } catch is BytesError {
            return nil
        }
    }

    /// Reads any bytes, for a fuzzer.
    static func tryAll(_ input: [UInt8]) throws {
        let bytes = input.span
        guard let message = SocketMessage(bytes) else { return }
        for name in message.members.keys {
            _ = message.text(name, of: bytes)
            _ = message.bytes(name, of: bytes)
            guard let secret = try message.secret(name, of: bytes), let place = message.members[name] else {
                continue
            }
            let again = try SecretBytes(capacity: Base64.standard.encodedCount(secret.count)) { output in
                try Base64.standard.encode(secret.bytes, into: &output)
            }
            guard again.isEqualInConstantTime(to: bytes.extracting(place)) else {
                throw KMSError(.internalError, "two texts of one secret")
            }
        }
    }
}

/// The readers of what services send, without a service, for a fuzzer.
package enum ServiceAnswers {
    /// Throws only when a promise does not hold.
    package static func tryAll(_ bytes: [UInt8]) throws {
        try SocketMessage.tryAll(bytes)
        try VaultAnswer.tryAll(bytes)
    }
}
