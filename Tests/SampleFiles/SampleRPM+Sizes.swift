// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension SampleRPM {
    /// One of the packages of a build farm; each number has its own, the same each time. Of a hundred in a row, half are
    /// below 60 KB, ten above 1 MB and one above 20 MB, as in a distribution; every eighth is a source package.
    public static func ofDistribution(_ number: Int) -> SampleRPM {
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

    /// A package of 100,000 files, whose header is as large as headers become.
    public static let ofManyFiles: SampleRPM = {
        var sample = SampleRPM()
        sample.name = "sample-many-files"
        sample.files = 100_000
        sample.payload = .noise(count: 20_000_000, seed: 100_000)
        return sample
    }()

    /// A package over 4 GiB, of which nearly all is a hole in the file.
    public static let ofGreatSize: SampleRPM = {
        var sample = SampleRPM()
        sample.name = "sample-large"
        sample.payload = .zeros(count: 4 << 30 + 12_345)
        return sample
    }()
}
