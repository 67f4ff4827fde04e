// SPDX-License-Identifier: Apache-2.0

import Console
import Diagnostics
import Foundation
import HTTP
import HTTP2
import Secrets
import TestSupport

/// What a command printed.
final class Paper: Sendable {
    private let texts = Lock((out: "", notes: ""))

    var out: String { texts.withLock { $0.out } }
    var notes: String { texts.withLock { $0.notes } }

    func screen(columns: Int? = nil) -> Screen {
        Screen(
            out: { text in self.texts.withLock { $0.out += text } },
            notes: { text in self.texts.withLock { $0.notes += text } }, columns: { columns })
    }

    /// Standard output as JSON.
    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(out.utf8)) as? [String: Any] ?? [:]
    }
}

/// Signs nothing, and tells what it is told to.
final class Scripted: FileSigning {
    let reports: [FileReport]
    let error: ConsoleError?
    let orders = Lock<[FileOrder]>([])
    let stripped = Lock<[FileOrder]>([])

    init(reports: [FileReport] = [], error: ConsoleError? = nil) {
        self.reports = reports
        self.error = error
    }

    func sign(_ order: FileOrder, telling listener: any SigningListener) async throws {
        orders.withLock { $0.append(order) }
        listener.found(files: reports.count)
        for report in reports { listener.finished(report) }
        if let error { throw error }
    }
}

/// A control-server of fixed answers, by method and target.
final class PaperDesk: ControlDesk {
    let answers: [String: (status: Int, body: String)]
    let asked = Lock<[(target: String, body: String)]>([])

    init(_ answers: [String: (status: Int, body: String)]) { self.answers = answers }

    private static func copy(_ secret: borrowing SecretBytes) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<secret.count { bytes.append(secret.bytes[index]) }
        return bytes
    }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        let target = "\(request.method.rawValue) \(request.target)"
        var body = request.body
        if let secret = request.secretBody {
            body = Self.copy(secret.bytes)
        }
        asked.withLock { [body] in $0.append((target, String(decoding: body, as: UTF8.self))) }
        let answer =
            answers[target]
            ?? (
                404, #"{"code":"not-found","title":"No such thing","detail":"nothing at \#(request.target)"}"#
            )
        return ClientResponse(
            status: Status(rawValue: answer.status), fields: [:], body: Array(answer.body.utf8))
    }
}

/// Runs command lines of `signet` without a socket.
struct Bench {
    let paper = Paper()
    var signer = Scripted()
    var desk = PaperDesk([:])
    var environment: [String: String] = [:]
    var columns: Int?

    func run(_ words: String...) async -> Int32 { await run(words) }

    func run(_ words: [String]) async -> Int32 {
        let (signer, desk) = (signer, desk)
        let program = SignetProgram(
            environment: environment, screen: paper.screen(columns: columns), signing: { _ in signer },
            stripping: { order, listener in
                signer.stripped.withLock { $0.append(order) }
                for report in signer.reports { listener.finished(report) }
            },
            desk: { _ in desk }, now: { .zero }, wallClock: { 1_700_000_000 },
            settling: .zero)
        return await program.run(words)
    }
}
