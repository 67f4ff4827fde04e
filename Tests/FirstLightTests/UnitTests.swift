// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The units of systemd: how much they leave to a server, and whether that is enough for it.
@Suite(.serialized, .needs(.program("systemd-analyze")), .needs(.program("strace"))) struct UnitTests {
    static let servers = ["control-server", "data-server"]

    private func unit(_ server: String) -> String { Repository.path("systemd/signet-\(server).service") }

    @Test(arguments: servers) func exposesLittle(_ server: String) throws {
        let command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
        let output = try Command.run(command + ["--threshold=15", unit(server)])
        #expect(output.status == 0, "\(output.text)")
        let stricter = try Command.run(command + ["--threshold=1", unit(server)])
        #expect(stricter.status != 0, "a threshold that nothing passes")
    }

    /// With the program and the users of this machine in place of those that an installation has.
    @Test(arguments: servers) func isUnderstood(_ server: String) throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: unit(server), encoding: .utf8)
        let path = try folder.write(
            "signet-\(server).service",
            text.replacingOccurrences(of: "/usr/bin/\(server)", with: Products.path(server)))
        let output = try Command.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path])
        #expect(output.status == 0 && !output.errorText.contains("signet-\(server)"), "\(output.errorText)")
    }

    /// All that the servers ask the kernel for while they start, sign, read their settings again and end, the filter of
    /// their unit lets through, and no memory is writable and executable.
    @Test func theFilterLetsThroughWhatTheyDo() throws {
        let folder = try TemporaryFolder()
        for name in ["control-admin", "signet"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/" + name, withDestinationPath: Products.path(name))
        }
        for name in Self.servers {
            // The tracer stands aside, so that the server's process is the one that was started.
            let line = "exec strace -D -f -qq -s 0 -o '\(folder.path)/\(name).calls' '\(Products.path(name))'"
            try folder.write(name, "#!/bin/sh\n\(line) \"$@\"\n", mode: 0o755)
        }
        var environment = Command.environment
        environment["SIGNET_BIN"] = folder.path
        environment["SIGNET_CONFIG"] = folder.path + "/set/client.toml"
        func servers(_ verb: String) throws {
            try Command.check(
                ["bash", "Scripts/servers", verb, folder.path + "/set"], environment: environment,
                folder: Repository.root)
        }
        func signet(_ arguments: String...) throws {
            try Command.check([Products.path("signet")] + arguments, environment: environment)
        }
        defer { try? servers("stop") }
        try servers("start")
        let file = try folder.write("notes", "text\n")
        try signet(
            "key", "generate", "release", "--type", "openpgp", "--algorithm", "ed25519", "--email", "a@b")
        try signet("key", "enable", "release")
        try signet(
            "grant", "add", "--client", "uri:signet://client/builder", "--key", "release", "--kind", "generic"
        )
        try signet("sign", "--key", "release", "--detached", file)
        for name in ["control-server", "data-server-one"] {
            let process = try folder.read("set/\(name).pid")
            try Command.check(["kill", "-HUP", String(decoding: process, as: UTF8.self).trimmed])
        }
        try signet("sign", "--key", "release", "--detached", "--resign", file)
        try servers("stop")

        for name in Self.servers {
            let calls = String(decoding: try folder.read(name + ".calls"), as: UTF8.self).split(
                separator: "\n")
            let names = Set(
                calls.compactMap { $0.firstMatch(of: /^[0-9]+ +([a-z0-9_]+)\(/)?.1 }.map(String.init))
            let allowed = try Self.allowed(by: unit(name))
            #expect(names.isSuperset(of: ["openat", "epoll_wait", "prctl"]), "\(name) was watched")
            #expect(names.subtracting(allowed).isEmpty, "\(name): \(names.subtracting(allowed).sorted())")
            let executable = calls.filter { $0.contains("PROT_WRITE|PROT_EXEC") }
            #expect(executable.isEmpty, "\(name): \(executable.first ?? "")")
        }
    }

    /// The system calls that the lines `SystemCallFilter=` of a unit leave.
    private static func allowed(by unit: String) throws -> Set<String> {
        let lines = try String(contentsOfFile: unit, encoding: .utf8).split(separator: "\n")
        var allowed: Set<String> = []
        for line in lines where line.hasPrefix("SystemCallFilter=") {
            var names = line.dropFirst("SystemCallFilter=".count)
            let isTaken = names.hasPrefix("~")
            if isTaken { names = names.dropFirst() }
            for name in names.split(separator: " ") {
                let calls = try calls(of: String(name))
                if isTaken { allowed.subtract(calls) } else { allowed.formUnion(calls) }
            }
        }
        // These are let through whatever a unit says.
        return try allowed.union(calls(of: "@default"))
    }

    private static func calls(of name: String) throws -> Set<String> {
        guard name.hasPrefix("@") else { return [name] }
        let text = try Command.check(["systemd-analyze", "syscall-filter", "--no-pager", name]).text
        var found: Set<String> = []
        for line in text.split(separator: "\n").dropFirst().map({ $0.trimmingCharacters(in: .whitespaces) })
        where !line.isEmpty && !line.hasPrefix("#") {
            try found.formUnion(calls(of: line))
        }
        return found
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
