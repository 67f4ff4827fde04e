// SPDX-License-Identifier: Apache-2.0

internal import CLinux
import Diagnostics
import Foundation
import Secrets
import TestSupport
import Testing

@Suite struct SecretFileTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func read(_ path: String, limit: Int = 1000, _ newline: SecretBytes.LastNewline = .kept) throws
        -> [UInt8]
    {
        let secret = try SecretBytes(contentsOf: path, limit: limit, lastNewline: newline)
        return secret.bytes.indices.map { secret.bytes[$0] }
    }

    private func refusal(_ path: String, limit: Int = 1000) -> SecretsError? {
        #expect(throws: SecretsError.self) { _ = try read(path, limit: limit) }
    }

    @Test(arguments: [0o600, 0o400, 0o700, 0o500])
    func readsPrivateFiles(_ mode: Int) throws {
        let path = try folder.write("secret", "secret\n", mode: mode)
        #expect(try read(path) == Array("secret\n".utf8))
    }

    @Test(arguments: [
        ("token\n", "token"), ("token", "token"), ("token\n\n", "token\n"), ("\n", ""), ("", ""),
        ("token\r\n", "token\r"), ("a\nb", "a\nb"),
    ])
    func dropsOneNewline(_ text: String, _ left: String) throws {
        let path = try folder.write("secret", text)
        #expect(try read(path, .dropped) == Array(left.utf8))
        #expect(try read(path, .kept) == Array(text.utf8))
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o440, 0o777])
    func refusesFilesOfOthers(_ mode: Int) throws {
        let path = try folder.write("secret", "secret", mode: mode)
        let error = refusal(path)
        #expect(error?.code == .secretFileExposed)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains("mode 0\(String(mode, radix: 8))") == true)
        #expect(error?.message.contains("chmod 0600") == true)
    }

    @Test func theLimitIsIncluded() throws {
        let path = try folder.write("secret", [UInt8](repeating: 7, count: 1000))
        #expect(try read(path).count == 1000)
        let error = refusal(path, limit: 999)
        #expect(error?.code == .secretFileRefused)
        #expect(error?.message == "\(path) has 1000 bytes, more than the limit of 999")
    }

    @Test func refusesLinks() throws {
        let path = try folder.write("secret", "secret")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: path)
        let error = refusal(folder.path + "/link")
        #expect(error?.code == .secretFileRefused)
        #expect(error?.message.contains("symbolic link") == true)
    }

    @Test(.timeLimit(.minutes(1))) func refusesWhatIsNoFile() throws {
        let pipe = folder.path + "/pipe"
        let made = unsafe mkfifo(pipe, 0o600)
        #expect(made == 0)
        for path in [pipe, folder.path, "/dev/null"] {
            let error = refusal(path)
            #expect(error?.code == .secretFileRefused)
            #expect(error?.message == "\(path) is no regular file")
        }
    }

    @Test func namesAMissingFile() {
        let error = refusal(folder.path + "/none")
        #expect(error?.code == .secretFileUnreadable)
        #expect(error?.message.contains("No such file") == true)
    }

    @Test(.needs(.root))
    func refusesAStrangersFile() throws {
        let path = try folder.write("secret", "secret")
        let given = unsafe chown(path, 12345, 12345)
        #expect(given == 0)
        let error = refusal(path)
        #expect(error?.code == .secretFileExposed)
        #expect(error?.message.contains("belongs to user 12345") == true)
    }

    /// As systemd hands out a credential: root's file with an entry for the service's user in its access list, which
    /// shows as a group that may read.
    @Test(.enabled(if: hasAccessLists, "the file system knows no access lists")) func readsACredential()
        throws
    {
        let path = try folder.write("secret", "secret", mode: 0o400)
        try setAccess(path, [(1, 4, nil), (2, 4, geteuid()), (4, 0, nil), (16, 4, nil), (32, 0, nil)])
        #expect(try read(path) == Array("secret".utf8))
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o440)
    }

    @Test(
        arguments: [
            ("another user", [(1, 4, nil), (2, 4, 12345), (4, 0, nil), (16, 4, nil), (32, 0, nil)]),
            ("a group", [(1, 4, nil), (4, 0, nil), (8, 4, 12345), (16, 4, nil), (32, 0, nil)]),
            ("the file's group", [(1, 4, nil), (2, 4, 0), (4, 4, nil), (16, 4, nil), (32, 0, nil)]),
            ("others", [(1, 4, nil), (2, 4, 0), (4, 0, nil), (16, 4, nil), (32, 4, nil)]),
        ] as [(String, [(UInt16, UInt16, UInt32?)])])
    func refusesAnAccessList(_ whom: String, _ entries: [(UInt16, UInt16, UInt32?)]) throws {
        let path = try folder.write("secret", "secret", mode: 0o400)
        try setAccess(path, entries)
        let error = refusal(path)
        #expect(error?.code == .secretFileExposed, "\(whom)")
        #expect(error?.message.contains("setfacl -b") == true)
    }

    /// What the mask takes away is not there.
    @Test(.enabled(if: hasAccessLists, "the file system knows no access lists"))
    func anAccessListCountsBehindItsMask() throws {
        let path = try folder.write("secret", "secret", mode: 0o400)
        try setAccess(path, [(1, 6, nil), (2, 7, 12345), (4, 0, nil), (16, 0, nil), (32, 0, nil)])
        #expect(try read(path) == Array("secret".utf8))
    }

    private func setAccess(_ path: String, _ entries: [(tag: UInt16, rights: UInt16, id: UInt32?)]) throws {
        var bytes: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            for value in [entry.tag, entry.rights] { bytes += [UInt8(value & 0xff), UInt8(value >> 8)] }
            let id = entry.id ?? .max
            for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(id >> shift & 0xff)) }
        }
        let result = unsafe setxattr(path, "system.posix_acl_access", bytes, bytes.count, 0)
        try #require(result == 0)
    }

    private static let hasAccessLists: Bool = {
        guard let folder = try? TemporaryFolder(), let path = try? folder.write("probe", "") else {
            return false
        }
        let size = unsafe getxattr(path, "system.posix_acl_access", nil, 0)
        return size >= 0 || errno == ENODATA
    }()
}
