// SPDX-License-Identifier: Apache-2.0

import HTTP2
import TestSupport
import Testing

/// The network may cut what a peer says anywhere: what a session makes of it does not depend on that.
@Suite struct SplitTests {
    @Test func everyCutOfEveryCase() throws {
        for test in Case.all {
            let said = Self.bytes(of: test)
            let whole = try Self.outcome(of: said, cutAt: said.count)
            // All greet alike. Of a long one, the ends are where frames begin and end.
            let first = test.greets && test.offers.isEmpty ? 42 : 1
            let step = Trials.count(3, full: 1)
            for cut in stride(from: first, to: said.count, by: step) where cut < 250 || cut > said.count - 50
            {
                let split = try Self.outcome(of: said, cutAt: cut)
                guard split != whole else { continue }
                Issue.record("\(test) cut at \(cut): \(split) in place of \(whole)")
                break
            }
        }
    }

    private static func bytes(of test: Case) -> [UInt8] {
        var bytes: [UInt8] = []
        if test.greets {
            let payload = test.offers.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + number($0.1) }
            bytes = RawConnection.magic + Frame(Frame.settings, 0, 0, payload).bytes + settingsAcknowledged
        }
        for case .send(let more) in test.steps { bytes += more }
        return bytes
    }

    private struct Outcome: Equatable, CustomStringConvertible {
        /// Type, stream and code of each frame.
        var frames: [String] = []
        var error: String?
        var description: String { "\(error ?? "no error"), said \(frames)" }

        mutating func add(_ output: [UInt8]) {
            var rest = output[...]
            while rest.count >= 9 {
                let head = Array(rest.prefix(9))
                let length = head[..<3].reduce(0) { $0 << 8 | Int($1) }
                let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) }
                let payload = Array(rest.dropFirst(9).prefix(length))
                let frame = Frame(head[3], head[4], stream, payload)
                frames.append("\(frame.type) on \(stream): \(frame.code.map { "\($0)" } ?? "")")
                rest = rest.dropFirst(9 + length)
            }
        }
    }

    /// What a server says.
    private static func outcome(of bytes: [UInt8], cutAt cut: Int) throws -> Outcome {
        let session = try Session(.server)
        defer { session.disconnected() }
        session.accept = { stream, _ in Recorder(stream) }
        var outcome = Outcome()
        // What the session says first would be in the way of an acknowledgement.
        func speak() throws {
            var output: [UInt8] = []
            while try session.nextOutput({ span in for index in span.indices { output.append(span[index]) } })
            {}
            outcome.add(output)
        }
        try speak()
        do {
            for part in [bytes[..<cut], bytes[cut...]] where !part.isEmpty {
                let part = Array(part)
                try session.receive(part.span, at: 0)
            }
        } catch {
            outcome.error = "\(error)"
        }
        try speak()
        return outcome
    }
}
