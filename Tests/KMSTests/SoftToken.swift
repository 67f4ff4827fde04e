// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import KMS
import Keyring
import Secrets
import TestSupport

/// Tokens of SoftHSM2, in one folder for the whole process: the library looks for them once.
final class SoftToken: Sendable {
    static let module = "/usr/lib/softhsm/libsofthsm2.so"
    static let pin = "4711-0815"
    /// Each has its own login state.
    static let labels = ["signet", "signet pin", "signet lost"]

    static let shared = Result { try SoftToken() }

    private let folder: TemporaryFolder

    private init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/tokens", withIntermediateDirectories: false)
        let settings = try folder.write(
            "softhsm2.conf",
            "directories.tokendir = \(folder.path)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        unsafe setenv("SOFTHSM2_CONF", settings, 1)
        for label in Self.labels {
            try utility([
                "--init-token", "--free", "--label", label, "--pin", Self.pin, "--so-pin", "so-" + Self.pin,
            ])
        }
    }

    private func utility(_ arguments: [String]) throws {
        try Command.check(
            ["env", "SOFTHSM2_CONF=\(folder.path)/softhsm2.conf", "softhsm2-util"] + arguments)
    }

    /// Another AES key.
    func add(_ label: String, id: String, to token: String = "signet", count: Int = 32) throws {
        let path = folder.path + "/key-" + String(UInt64.random(in: 0 ... .max))
        // The utility takes the file for one word of text.
        let bytes = (0..<count).map { _ in UInt8.random(in: 0x21...0xff) }
        try SecretBytes(copying: bytes.span).write(toNewFile: path)
        try utility([
            "--import", path, "--aes", "--token", token, "--label", label, "--id", id, "--pin", Self.pin,
        ])
    }

    /// The file with a PIN.
    func pinFile(_ pin: String = SoftToken.pin) throws -> String {
        let path = folder.path + "/pin-" + String(UInt64.random(in: 0 ... .max))
        let bytes = Array(pin.utf8)
        try SecretBytes(copying: bytes.span).write(toNewFile: path, addingNewline: true)
        return path
    }

    func open(
        _ label: String, id: String? = nil, token: String = "signet", pin: String? = nil
    ) throws -> any KeyWrapping {
        var lines = [
            "type = \"pkcs11\"", "module = \"\(Self.module)\"", "token_label = \"\(token)\"",
            "key = \"\(label)\"", "pin_file = \"\(try pin ?? pinFile())\"", "deadline = \"60s\"",
        ]
        if let id { lines.append("key_id = \"\(id)\"") }
        return try ProviderTables.read(lines.joined(separator: "\n")).open(
            in: .production, log: TestLog.quiet())
    }
}
