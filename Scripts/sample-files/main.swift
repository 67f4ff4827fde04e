// SPDX-License-Identifier: Apache-2.0

// samples FOLDER COUNT: unsigned packages as a build farm has them. Half are below 60 KB, a tenth above 1 MB, and one
// in a hundred above 10 MB; every eighth is a source package.

internal import Glibc
internal import SampleFiles

let arguments = CommandLine.arguments
guard arguments.count == 3, let count = Int(arguments[2]), count > 0 else {
    print("usage: samples FOLDER COUNT")
    exit(2)
}
for number in 0..<count {
    let sample = sample(number)
    try sample.write(to: "\(arguments[1])/\(sample.fileName)")
}
print("\(count) packages in \(arguments[1])")

func sample(_ number: Int) -> SampleRPM {
    // Spread evenly over 0 ..< 1, in an order without steps.
    let place = Double(number * 61 % 100) / 100
    let size = Int(6000 * exp(4.6 * place + 4 * pow(place, 12)))
    var sample = SampleRPM()
    sample.name = "sample-\(number)"
    sample.version = "\(1 + number % 9).\(number % 20)"
    sample.architecture = number.isMultiple(of: 3) ? "noarch" : "x86_64"
    sample.isSource = number % 8 == 7
    sample.files = sample.isSource ? 3 : min(5000, 2 + size / 8000)
    sample.payload = .noise(count: size, seed: UInt64(number + 1))
    return sample
}
