// SPDX-License-Identifier: Apache-2.0

internal import TestSupport

/// A folder with `ca.crt` and, signed by it, `server.crt`, `server.key`, `client.crt` and `client.key`, all P-256, as
/// both our programs and their rivals read them.
struct BenchCertificates {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try openssl(
            ["req", "-x509"] + key + ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2"])
        for name in ["server", "client"] {
            try openssl(
                ["req"] + key + ["-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name])
            try folder.write(name + ".ext", "subjectAltName=DNS:\(name).test,IP:127.0.0.1\n")
            try openssl([
                "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", name + ".crt", "-extfile", name + ".ext", "-days", "1",
            ])
        }
    }

    @discardableResult
    func openssl(_ arguments: [String]) throws -> Command.Output {
        try Command.check(["openssl"] + arguments, folder: folder.path)
    }
}
