// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import Transport

/// What a service manager is told. Python stands for the manager: it binds the socket and prints what comes.
@Suite(.serialized) struct ServiceNoticeTests {
    private static let manager = """
        import socket, sys
        name = sys.argv[1]
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind("\\0" + name[1:] if name.startswith("@") else name)
        print("bound", flush=True)
        while True:
            print(manager.recv(4096).decode().replace("\\n", " "), flush=True)
        """

    @Test(arguments: ["path", "abstract"]) func isHeard(_ sort: String) throws {
        let folder = try TemporaryFolder()
        let name = sort == "path" ? folder.path + "/notify" : "@signet-\(getpid())-notify"
        let manager = try Companion(["python3", "-c", Self.manager, name])
        #expect(manager.readLine() == "bound")
        let notice = ServiceNotice(environment: ["NOTIFY_SOCKET": name])
        notice.ready()
        #expect(manager.readLine() == "READY=1")
        notice.reloading()
        let reloading = manager.readLine() ?? ""
        #expect(reloading.wholeMatch(of: /RELOADING=1 MONOTONIC_USEC=[0-9]+/) != nil, "\(reloading)")
        notice.stopping()
        #expect(manager.readLine() == "STOPPING=1")
    }

    /// Nobody listens, or there is no socket at all: nothing happens.
    @Test func isNeverAnError() throws {
        let folder = try TemporaryFolder()
        let names = ["", "notify", "@", folder.path + "/gone", "/" + String(repeating: "x", count: 200)]
        for name in names { ServiceNotice(environment: ["NOTIFY_SOCKET": name]).ready() }
        ServiceNotice(environment: [:]).ready()
    }
}
