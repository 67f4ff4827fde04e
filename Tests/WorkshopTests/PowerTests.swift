// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A power is said to be there exactly where what it stands for works.
@Suite struct PowerTests {
    @Test func rootIsWhoTheKernelSays() throws {
        let user = try Command.check(["id", "-u"]).text
        #expect(Power.root.isThere == (user == "0\n"))
        #expect(Power.root.isThere || !Power.otherUsers.isThere)
    }

    @Test func aProgramIsThereOrNot() {
        #expect(Power.program("sh").isThere)
        #expect(!Power.program("no-such-program-anywhere").isThere)
        #expect(!Power.program("sh; true").isThere)
    }

    @Test func aNetworkOfItsOwnHasNothingButALoopback() throws {
        let list = try Command.run(["unshare", "--net", "cat", "/proc/net/dev"])
        #expect((list.text.split(separator: "\n").count == 3) == Power.networkNamespaces.isThere)
    }

    @Test func aMountHidesWhatLiesBelow() throws {
        let folder = try TemporaryFolder()
        try folder.write("below", "")
        let script = "mount -t tmpfs none \"$0\" && ls \"$0\" && echo looked"
        let list = try Command.run(["unshare", "--mount", "sh", "-c", script, folder.path])
        #expect((list.text == "looked\n") == Power.mounts.isThere)
    }

    @Test func anotherUserIsSomebodyElse() throws {
        let user = try Command.run([
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "id", "-u",
        ])
        #expect((user.text == "65534\n") == Power.otherUsers.isThere)
    }

    @Test func anotherProcessIsAnOpenBook() throws {
        let reader = """
            import sys
            process = sys.argv[1]
            start = int(open(f"/proc/{process}/maps").readline().split("-")[0], 16)
            memory = open(f"/proc/{process}/mem", "rb")
            memory.seek(start)
            print(memory.read(4) == b"\\x7fELF")
            """
        let script = "sleep 20 & /usr/bin/python3 -c \"$0\" $!; kill $!"
        let read = try Command.run(["sh", "-c", script, reader])
        #expect((read.text == "True\n") == Power.tracing.isThere, "\(read.errorText)")
    }
}
