// SPDX-License-Identifier: Apache-2.0

// samples FOLDER COUNT [many-files] [large]: unsigned packages as a build farm has them, and two that are rare: one of
// 100,000 files, and one over 4 GiB that takes no room on the disk.

internal import Glibc
internal import SampleFiles

let extras: KeyValuePairs = ["many-files": SampleRPM.ofManyFiles, "large": SampleRPM.ofGreatSize]
let arguments = CommandLine.arguments
let names = arguments.dropFirst(3)
guard arguments.count >= 3, let count = Int(arguments[2]), count > 0,
    names.allSatisfy({ name in extras.contains { $0.key == name } })
else {
    print("usage: samples FOLDER COUNT [many-files] [large]")
    exit(2)
}
let rare = extras.filter { names.contains($0.key) }.map(\.value)
for sample in (0..<count).lazy.map({ SampleRPM.ofDistribution($0) }) + rare {
    try sample.write(to: "\(arguments[1])/\(sample.fileName)")
}
print("\(count + rare.count) packages in \(arguments[1])")
