// SPDX-License-Identifier: Apache-2.0

// Writes signatures into a kernel module, for tests that take the disk, the rights or the process away from it.
//
// artifact-probe once FILE COUNT    embeds COUNT bytes as a signature; prints `done` or the code of the error
// artifact-probe loop FILE COUNT    embeds and strips until it is killed; prints `ready` before it starts

internal import Artifacts
internal import Diagnostics
internal import Glibc
internal import Signatures

let arguments = CommandLine.arguments
guard arguments.count == 4, let count = Int(arguments[3]) else { exit(2) }
let path = arguments[2]
let signature = [UInt8](repeating: 0x55, count: count)

func embed() throws(ArtifactError) {
    try Artifact(reading: path, as: .module).patch(embedding: signature, replacing: true).apply()
}

do throws(ArtifactError) {
    if arguments[1] == "loop" {
        print("ready")
        fflush(nil)
        while true {
            try embed()
            try Artifact.patch(stripping: path, as: .module)?.apply()
        }
    }
    try embed()
    print("done")
} catch {
    print(error.code.id)
    exit(1)
}
