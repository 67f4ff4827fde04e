// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import MariaDB
internal import TestSupport

let mariaDBBenchmarks = [
    Benchmark(name: "db.insert.batch256") { [try insertBatches()] }
]

/// Batches of 256 rows, each one statement that commits by itself to a log that is flushed at each commit, beside a C
/// program that calls libmariadb for the same (`workshop/insert-reference`).
private func insertBatches() throws -> Figure {
    let server = try DatabaseServer(options: ["--innodb-flush-log-at-trx-commit=1"])
    let reference = try Reference(server)
    let settings = DatabaseSettings(
        servers: [.socket(path: server.socket)], user: "signet", passwordFile: server.passwordFile,
        database: "signet")
    let connection = try DatabaseConnection.open(settings)
    try connection.executeDirectly(
        """
        CREATE TABLE record (id BINARY(16) NOT NULL PRIMARY KEY, server INT NOT NULL, sequence BIGINT NOT NULL,
        at DATETIME(6) NOT NULL, body VARBINARY(1000) NOT NULL, UNIQUE KEY by_sequence (server, sequence)) ENGINE=InnoDB
        """)
    let batch = BatchInsert(into: "record", columns: ["id", "server", "sequence", "at", "body"])
    var (ours, theirs): ([Double], [Double]) = ([], [])
    for round in 0..<8 {
        let batches = 40
        let c = try reference.run(batches)
        try connection.executeDirectly("TRUNCATE TABLE record")
        var sequence: Int64 = 0
        let own = try rate(batches * 256) {
            for _ in 0..<batches { try connection.insert(rows(&sequence), with: batch) }
        }
        // The first round warms the server's files.
        if round > 0 {
            ours.append(own)
            theirs.append(c)
        }
    }
    return Figure("db.insert.batch256", value: median(ours), unit: "rows/s", reference: median(theirs))
}

private func rows(_ sequence: inout Int64) -> [[DatabaseValue]] {
    let body = [UInt8](repeating: 0x5a, count: 400)
    let time = Timestamp(seconds: 1_709_164_800)
    return (0..<256).map { _ in
        sequence += 1
        let number = sequence
        let id = (0..<16).map { $0 < 8 ? UInt8(truncatingIfNeeded: number >> ($0 * 8)) : 0 }
        return [.bytes(id), .int(1), .int(number), .time(time), .bytes(body)]
    }
}

/// The C program, compiled here so that the package stays Swift.
private struct Reference {
    private let folder: TemporaryFolder
    private let server: DatabaseServer

    init(_ server: DatabaseServer) throws {
        self.server = server
        folder = try TemporaryFolder()
        let flags = try Command.check(["pkg-config", "--cflags", "--libs", "libmariadb"]).text
            .split(whereSeparator: \.isWhitespace).map { String($0) }
        let source = Repository.path("workshop/insert-reference/main.c")
        try Command.check(["clang", "-O2", "-o", folder.path + "/insert", source] + flags)
    }

    func run(_ batches: Int) throws -> Double {
        let output = try Command.check([
            folder.path + "/insert", server.socket, "signet", server.passwordFile, "signet", String(batches),
        ])
        guard let rate = Double(output.text.trimmingCharacters(in: .newlines)) else {
            throw DatabaseServer.Unavailable(description: "the reference printed \(output.text)")
        }
        return rate
    }
}
