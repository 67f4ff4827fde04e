// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// A settings file that was read and parsed.
public struct SettingsFile: Sendable {
    /// As it was named; relative paths inside the file begin at its folder.
    public let path: String
    let document: TOMLDocument

    public init(path: String, contents: [UInt8]) throws(SettingsError) {
        self.path = path
        do {
            document = try TOMLDocument(contents)
        } catch {
            throw SettingsError(
                .settingsMalformed, .file(path, error.position), "\(error.problem); \(error.remedy)")
        }
    }

    /// Reads the file; nil if there is none.
    public static func load(_ path: String) throws(SettingsError) -> SettingsFile? {
        let limit = TOMLDocument.Limits().bytes
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw unreadable(path)
        }
        defer { close(file) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while contents.count <= limit {
            let count = unsafe Glibc.read(file, &buffer, buffer.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(path)
            }
            contents += buffer[..<count]
        }
        return try SettingsFile(path: path, contents: contents)
    }

    private static func unreadable(_ path: String) -> SettingsError {
        let reason = unsafe String(cString: strerror(errno))
        return SettingsError(
            .settingsUnreadable, nil, "\(path): \(reason); check the path, its owner and its mode")
    }

    /// A path of the file's, begun at its folder.
    func resolve(_ relative: String) -> String {
        guard !relative.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return relative }
        var rest = Substring(relative)
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return String(path[...slash]) + rest
    }

    func origin(at offset: Int) -> SettingsOrigin { .file(path, document.position(at: offset)) }
}
