// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A short-named folder of mode 0700 that goes away with its last reference.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        // `make test` names a folder that it clears whatever happens to this process.
        let place = ProcessInfo.processInfo.environment["SIGNET_TMP"] ?? "/tmp"
        var template = Array((place + "/signet.XXXXXX").utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Command.Failed(description: "mkdtemp: \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    @discardableResult
    public func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        try write(name, Array(text.utf8), mode: mode)
    }

    public func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
}
