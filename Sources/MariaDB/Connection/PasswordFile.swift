// SPDX-License-Identifier: Apache-2.0

internal import Secrets

/// A password in a file of one line, which its owner alone may read.
enum PasswordFile {
    private static let limit = 1024

    /// The password and the NUL that C wants behind it.
    static func read(_ path: String) throws -> SecretBytes {
        let line = try SecretBytes(contentsOf: path, limit: limit, lastNewline: .dropped)
        let bytes = line.bytes
        guard !bytes.isEmpty else { throw DatabaseError(.settings, "the password file \(path) is empty") }
        for place in bytes.indices where bytes[place] == 0 || bytes[place] == 0x0a || bytes[place] == 0x0d {
            throw DatabaseError(.settings, "the password file \(path) holds more than one line of text")
        }
        return try SecretBytes(capacity: bytes.count + 1) { output throws(DatabaseError) in
            for place in bytes.indices { output.append(bytes[place]) }
            output.append(0)
        }
    }
}
