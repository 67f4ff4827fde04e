// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Secrets
import TestSupport
import Testing

@Suite struct NewSecretFileTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func secret(_ text: String) throws -> SecretBytes {
        let bytes = Array(text.utf8)
        return try SecretBytes(copying: bytes.span)
    }

    /// Whatever the umask is, and the file is one that `SecretBytes(contentsOf:)` takes.
    @Test(arguments: [mode_t(0), 0o022, 0o777])
    func isForItsOwnerAlone(_ mask: mode_t) throws {
        let old = umask(mask)
        defer { umask(old) }
        let path = folder.path + "/secret"
        try secret("hush").write(toNewFile: path)
        #expect(try folder.read("secret") == Array("hush".utf8))
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        let read = try SecretBytes(contentsOf: path)
        #expect(read.count == 4)
    }

    @Test func mayEndALine() throws {
        try secret("hush").write(toNewFile: folder.path + "/secret", addingNewline: true)
        #expect(try folder.read("secret") == Array("hush\n".utf8))
    }

    @Test func overwritesNothing() throws {
        let path = try folder.write("secret", "old")
        unsafe symlink(path, folder.path + "/link")
        unsafe symlink("nowhere", folder.path + "/dangling")
        for name in ["secret", "link", "dangling", "missing/secret"] {
            let error = #expect(throws: SecretsError.self) {
                try secret("new").write(toNewFile: folder.path + "/" + name)
            }
            #expect(error?.code == .secretFileUnwritable)
            #expect(error?.message.contains(name) == true)
        }
        #expect(try folder.read("secret") == Array("old".utf8))
    }

    @Test func leavesNoPart() throws {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        let old = signal(SIGXFSZ, SIG_IGN)
        defer {
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            signal(SIGXFSZ, old)
        }
        var small = limit
        small.rlim_cur = 2
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &small)
        let path = folder.path + "/secret"
        #expect(throws: SecretsError.self) { try secret("hush").write(toNewFile: path) }
        #expect(unsafe access(path, F_OK) != 0)
    }
}
