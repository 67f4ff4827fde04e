// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import TestSupport
public import Transport

/// A throw-away authority, made with the openssl command: P-256 keys and certificates of one hour, and revocation lists.
public final class TestCA: Sendable {
    public let folder: TemporaryFolder
    public let name: String
    public var path: String { folder.path + "/" + name }
    public var certificate: String { path + "/ca.crt" }

    public init(_ name: String, in folder: TemporaryFolder) throws {
        self.folder = folder
        self.name = name
        try FileManager.default.createDirectory(
            atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        try folder.write(name + "/index.txt", "")
        try folder.write(name + "/crlnumber", "01\n")
        try folder.write(
            name + "/ca.cnf",
            """
            [ca]
            default_ca = own
            [own]
            database = \(folder.path)/\(name)/index.txt
            crlnumber = \(folder.path)/\(name)/crlnumber
            certificate = \(folder.path)/\(name)/ca.crt
            private_key = \(folder.path)/\(name)/ca.key
            default_md = sha256
            default_crl_days = 1
            new_certs_dir = \(folder.path)/\(name)
            rand_serial = yes
            policy = any
            [any]
            commonName = supplied
            """)
        try Command.check(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/O=Test/CN=\(name)",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ], folder: path)
    }

    /// Makes `NAME.crt` and `NAME.key`, and returns their paths. An expired one was valid until a day ago, an early one
    /// will be in a day.
    @discardableResult
    public func issue(
        _ leaf: String, san: String = "", usage: String = "clientAuth,serverAuth", subject: String? = nil,
        expired: Bool = false, early: Bool = false, rawSAN: Bool = false
    ) throws -> (certificate: String, key: String) {
        try Command.check(
            [
                "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", leaf + ".key", "-out", leaf + ".csr", "-subj", subject ?? "/CN=\(leaf)",
            ], folder: path)
        var extensions = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
        if !usage.isEmpty { extensions += "extendedKeyUsage=\(usage)\n" }
        if !san.isEmpty { extensions += "subjectAltName=\(san)\n" }
        if rawSAN { extensions = extensions.replacingOccurrences(of: "subjectAltName=", with: "2.5.29.17=") }
        try folder.write(name + "/" + leaf + ".ext", extensions)
        if early {
            // `openssl x509` of Debian 12 knows no other beginning than now.
            let date = { try Command.check(["date", "-u", "-d", $0, "+%Y%m%d%H%M%SZ"]).text.dropLast() }
            try Command.check(
                [
                    "openssl", "ca", "-batch", "-notext", "-config", "ca.cnf", "-in", leaf + ".csr", "-out",
                    leaf + ".crt", "-extfile", leaf + ".ext", "-startdate", String(date("+1 day")),
                    "-enddate", String(date("+2 days")),
                ], folder: path)
        } else {
            try Command.check(
                [
                    "openssl", "x509", "-req", "-in", leaf + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                    "-CAcreateserial", "-out", leaf + ".crt", "-extfile", leaf + ".ext", "-days",
                    expired ? "-1" : "1",
                ], folder: path)
        }
        return (path + "/" + leaf + ".crt", path + "/" + leaf + ".key")
    }

    public func revoke(_ leaf: String) throws {
        try Command.check(
            ["openssl", "ca", "-config", "ca.cnf", "-revoke", leaf + ".crt"], folder: path)
    }

    /// Writes the revocation list as it is now and returns its path.
    public func revocationList() throws -> String {
        try Command.check(["openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "ca.crl"], folder: path)
        return path + "/ca.crl"
    }
}

/// An authority, a server's material and a client's.
public struct TestTLS: Sendable {
    public let folder: TemporaryFolder
    public let ca: TestCA

    public static func make() async throws -> TestTLS {
        try await apart { try TestTLS() }
    }

    /// Blocks; in a task `make` does the same on a thread of its own.
    public init() throws {
        folder = try TemporaryFolder()
        ca = try TestCA("ca", in: folder)
        try ca.issue("server", san: "DNS:server.test,IP:127.0.0.1")
        try ca.issue("client", san: "URI:spiffe://test/client,DNS:client.test")
    }

    public func file(_ name: String) -> String { ca.path + "/" + name }

    public var server: TLSSettings {
        .server(
            certificates: .file(file("server.crt")), key: .file(file("server.key")),
            trust: .authorities(.file(ca.certificate)))
    }

    public func client(_ name: String = "client") -> TLSSettings {
        .client(
            trust: .authorities(.file(ca.certificate)), certificates: .file(file(name + ".crt")),
            key: .file(file(name + ".key")))
    }

    public func serial(_ name: String) throws -> [UInt8] {
        let text = try Command.check(["openssl", "x509", "-in", file(name + ".crt"), "-noout", "-serial"])
            .text
        let digits = Array(text.dropFirst("serial=".count).dropLast())
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    /// SHA-256 of a certificate's public key, by the openssl command.
    public func publicKeyFingerprint(_ name: String) throws -> [UInt8] {
        let pem = try Command.check(["openssl", "x509", "-in", file(name + ".crt"), "-noout", "-pubkey"])
        let der = try Command.check(["openssl", "pkey", "-pubin", "-outform", "DER"], input: pem.stdout)
        return try Command.check(["openssl", "dgst", "-sha256", "-binary"], input: der.stdout).stdout
    }

    /// SHA-256 of a certificate, by the openssl command.
    public func fingerprint(_ name: String) throws -> [UInt8] {
        let text = try Command.check(
            ["openssl", "x509", "-in", file(name + ".crt"), "-noout", "-fingerprint", "-sha256"]
        ).text
        return text.split(separator: "=")[1].split(whereSeparator: { ":\n".contains($0) })
            .compactMap { UInt8($0, radix: 16) }
    }
}
