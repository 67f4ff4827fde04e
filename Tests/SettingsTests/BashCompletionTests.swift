// SPDX-License-Identifier: Apache-2.0

import Settings
import TestSupport
import Testing

private typealias Shell = TestSupport.Command

@Suite struct BashCompletionTests {
    /// A folder with the script, some files, and a program that proposes key names.
    private func scene() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("script", BashCompletion.script(.sample))
        try folder.write("one.rpm", "")
        try folder.write("two words.rpm", "")
        let program =
            "#!/bin/sh\n[ \"$*\" = 'key names' ] && printf '%s\\n' release 'rel two' '$(touch evil)' o@x.org:rel other\n"
        try folder.write("sig-net", program, mode: 0o700)
        try Shell.check(["mkdir", folder.path + "/sub", folder.path + "/one.d"])
        return folder
    }

    @Test func parses() throws {
        let folder = try scene()
        #expect(try Shell.run(["bash", "-n", folder.path + "/script"]).errorText == "")
        #expect(try Shell.run(["bash", "-n", folder.path + "/script"]).status == 0)
    }

    /// A line up to the cursor; then what is proposed, as readline gets it: without what stands before the last
    /// of its word breaks.
    @Test(arguments: [
        ("sig-net ", ["sign", "key", "copy"]), ("sig-net s", ["sign"]), ("sig-net x", []),
        ("sig-net -", ["--output", "-o", "--verbose", "-v", "--set", "--help", "-h", "--version"]),
        ("sig-net --ver", ["--verbose", "--version"]), ("sig-net key ", ["list", "rename", "names"]),
        ("sig-net -v key l", ["list"]), ("sig-net  key  l", ["list"]), ("sig-net help key l", ["list"]),
        ("sig-net -o ", ["text", "json"]), ("sig-net -o j", ["json"]), ("sig-net -o json key n", ["names"]),
        ("sig-net --output=j", ["json"]), ("sig-net --output=", ["text", "json"]), ("sig-net --verbose=", []),
        ("sig-net --output=json s", ["sign"]), ("sig-net sign --de", ["--detached"]),
        ("sig-net sign one", ["one.d", "one.rpm"]), ("sig-net sign -d one.rpm tw", ["two words.rpm"]),
        ("sig-net sign two\\ words.rpm one.r", ["one.rpm"]),
        ("sig-net sign --token-file one.r", ["one.rpm"]), ("sig-net sign --token-file=one.r", ["one.rpm"]),
        ("sig-net sign -k ", ["release", "rel\\ two", "\\$\\(touch\\ evil\\)", "o@x.org:rel", "other"]),
        ("sig-net sign -k rele", ["release"]), ("sig-net sign -k $(", ["\\$\\(touch\\ evil\\)"]),
        ("sig-net sign -k o@", ["x.org:rel"]), ("sig-net sign --key=o@x.org:r", ["rel"]),
        ("sig-net sign --timeout ", []), ("sig-net sign -- --de", []), ("sig-net key rename oth", ["other"]),
        ("sig-net key rename o@x.org:rel ", []), ("sig-net key list a b", []),
        ("sig-net copy a b one", ["one.d", "one.rpm"]),
    ])
    func proposes(_ line: String, _ expected: [String]) throws {
        let folder = try scene()
        let driver = """
            cd "$1"; PATH=$1:$PATH; source ./script
            COMP_LINE=$2; COMP_POINT=${#COMP_LINE}
            _sig_net sig-net "${COMP_LINE##*[ =:@]}" ''
            for word in "${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done
            [ ! -e evil ] || echo EVALUATED
            """
        let output = try Shell.run(["bash", "--norc", "-c", driver, "bash", folder.path, line])
        #expect(output.errorText == "")
        let proposed = output.text.split(separator: "\n").map(String.init)
        let isOfFiles = expected.contains { $0.contains(".d") }
        #expect((isOfFiles ? proposed.sorted() : proposed) == expected)
    }

    /// An interactive bash on a terminal, and the key that people press.
    @Test(arguments: [
        ("sig-net k\t list", "sig-net key list"), ("sig-net sign --key=rele\t", "sig-net sign --key=release"),
        ("sig-net -o js\t", "sig-net -o json"), ("sig-net --output=j\t", "sig-net --output=json"),
        ("sig-net sign tw\t", "sig-net sign two words.rpm"),
        ("sig-net sign two\\ w\t", "sig-net sign two words.rpm"),
        ("sig-net sign -k o@x\t", "sig-net sign -k o@x.org:rel"),
        ("sig-net sign --key=o@x.org:r\t", "sig-net sign --key=o@x.org:rel"),
        ("sig-net sign -k \\$\t", "sig-net sign -k $(touch evil)"),
    ])
    func completesOnATerminal(_ keys: String, _ expected: String) throws {
        let folder = try scene()
        let driver = """
            import os, pty, select, sys, time
            folder, keys, expected = sys.argv[1:]
            child, terminal = pty.fork()
            if child == 0:
                os.chdir(folder)
                os.environ.update(PATH=folder + ":" + os.environ["PATH"], TERM="dumb", PS1="$ ", INPUTRC="/dev/null", HISTFILE="")
                os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
            seen = b""
            def wait(text):
                global seen
                end = time.monotonic() + 20
                while text not in seen:
                    if time.monotonic() > end or not select.select([terminal], [], [], 20)[0]:
                        sys.exit("never seen: " + repr(text) + " in " + repr(seen))
                    seen += os.read(terminal, 65536)
                seen = seen[seen.index(text) + len(text):]
            os.write(terminal, b"source ./script; echo rea''dy\\r")
            wait(b"ready\\r\\n")
            os.write(terminal, keys.encode() + b"\\x01echo \\r")
            wait(b"\\n" + expected.encode())
            os.write(terminal, b"exit\\r")
            os.close(terminal)
            os.waitpid(child, 0)
            """
        try Shell.python(driver, arguments: [folder.path, keys, expected])
    }
}
