// SPDX-License-Identifier: Apache-2.0

// Writes signatures into a kernel module or an RPM, for tests that take the disk, the rights or the process away from it.
// MADE is a count of bytes for a module, which take anything, or a file that holds an OpenPGP signature.
//
// artifact-probe once FILE MADE            embeds; prints `done` or the code of the error
// artifact-probe loop FILE MADE            embeds and strips until it is killed; prints `ready` before it starts
// artifact-probe MOMENT FILE MADE          kills itself at that moment of a change in place
// artifact-probe count FILE MADE...        embeds into each file; prints how many bytes that wrote

internal import Artifacts
internal import Diagnostics
internal import Foundation
internal import Glibc
internal import Signatures

let arguments = CommandLine.arguments
guard arguments.count >= 4 else { exit(2) }
let path = arguments[2]
let isModule = Int(arguments[3]) != nil
let kind = isModule ? SigningKind.module : .rpm
let signature =
    if let count = Int(arguments[3]) {
        [UInt8](repeating: 0x55, count: count)
    } else {
        [UInt8](FileManager.default.contents(atPath: arguments[3]) ?? Data())
    }
let moment = WritingMoment(rawValue: arguments[1])
let writer = PatchWriter { if $0 == moment { kill(getpid(), SIGKILL) } }

func embed(into path: String) throws(ArtifactError) {
    try writer.recover(folderOf: path)
    try writer.apply(Artifact(reading: path, as: kind).patch(embedding: signature, replacing: true))
}

func written() -> Int {
    let text = String(
        decoding: FileManager.default.contents(atPath: "/proc/self/io") ?? Data(), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("wchar:") } ?? ""
    return Int(line.filter(\.isNumber)) ?? 0
}

do throws(ArtifactError) {
    if arguments[1] == "count" {
        let paths = [path] + arguments[4...]
        try embed(into: path)
        let before = written()
        for path in paths.dropFirst() { try embed(into: path) }
        print((written() - before) / max(1, paths.count - 1))
        exit(0)
    }
    if arguments[1] == "loop" {
        print("ready")
        fflush(nil)
        while true {
            try embed(into: path)
            if let patch = try Artifact.patch(stripping: path, as: kind) { try writer.apply(patch) }
        }
    }
    try embed(into: path)
    print("done")
} catch {
    print(error.code.id)
    exit(1)
}
