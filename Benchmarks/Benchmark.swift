// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// One measurement beside what it is compared with, both taken in interleaved rounds of the same run.
struct Benchmark: Sendable {
    let name: String
    let run: @Sendable () async throws -> [Figure]

    /// `make bench NAME=prefix` runs those whose name begins so.
    static let all: [Benchmark] = [
        cryptographyBenchmarks,
        artifactsBenchmarks,
        controlBenchmarks,
        signaturesBenchmarks,
        [endToEndBenchmarks],
        grpc,
        mariaDBBenchmarks,
        storageBenchmarks,
        signBenchmarks,
        transportBenchmarks,
        verificationBenchmarks,
        httpBenchmarks,
    ].flatMap { $0 }
}

/// One line on stdout.
struct Figure: Encodable {
    var name: String
    var value: Double
    var unit: String
    /// What the figure is compared with, in the same unit and run.
    var reference: Double
    var ratio: Double

    init(_ name: String, value: Double, unit: String, reference: Double) {
        self.name = name
        self.value = value
        self.unit = unit
        self.reference = reference
        ratio = reference == 0 ? 0 : value / reference
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// How many of `count` things a second `work` does.
func rate(_ count: Int, _ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
}
