// SPDX-License-Identifier: Apache-2.0

internal import Foundation

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "grpc-server" {
    try await Benchmark.serveGRPC(in: CommandLine.arguments[2])
    exit(0)
}

let prefix = CommandLine.arguments.dropFirst().first ?? ""
let chosen = Benchmark.all.filter { $0.name.hasPrefix(prefix) || prefix.hasPrefix($0.name + ".") }
let encoder = JSONEncoder()
encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
for benchmark in chosen {
    for figure in try await benchmark.run() where figure.name.hasPrefix(prefix) {
        print(String(decoding: try encoder.encode(figure), as: UTF8.self))
    }
}
