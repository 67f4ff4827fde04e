// SPDX-License-Identifier: Apache-2.0

import Testing

/// What a client says and what a server has to answer.
struct Case: Sendable, CustomTestStringConvertible {
    enum Group: String, CaseIterable, Sendable {
        /// What every server has to do with well-formed frames.
        case generic
        /// What RFC 9113 forbids.
        case http2
        /// What RFC 7541 forbids.
        case hpack
        /// Beyond the public suite.
        case house
    }

    enum Step: Sendable {
        case send([UInt8])
        /// Waits until the server has ended its side of the stream.
        case answer(UInt32)
        /// Waits for DATA of exactly so many bytes.
        case data(UInt32, Int)
    }

    enum Outcome: Sendable {
        /// GOAWAY with one of these codes, or the end of the connection.
        case connectionError([ErrorNumber])
        /// RST_STREAM with one of these codes; GOAWAY with one or the end of the connection will do as well.
        case streamError(UInt32, [ErrorNumber])
        /// A whole answer. Where the server is a bare one, this is its body.
        case answered(UInt32, String? = nil)
        /// An answer to a ping, and no error before it.
        case alive
        /// A ping is answered with the same eight characters, and no other is. They are a text, which needs no memory: the
        /// leak sanitizer does not find an array behind this case, whose pointer carries the case's number.
        case pong(String)
        case settingsAcknowledged
        /// The server's own first frame is SETTINGS.
        case settings
        /// The frames of the stream's body have these sizes, and then nothing comes.
        case dataSizes(UInt32, [Int])
    }

    var group: Group
    /// Of RFC 9113, of RFC 7541 in the group hpack.
    var section: String
    var name: String
    /// Whether the prefaces are exchanged first.
    var greets = true
    /// What the client's first SETTINGS say.
    var offers: [(UInt16, UInt32)] = []
    var steps: [Step]
    var outcome: Outcome

    var testDescription: String { "\(group) \(section) \(name)" }
}

/// Plays cases against a server.
struct Player {
    private let connection: RawConnection
    private let checksBody: Bool
    /// Whether each byte is sent by itself.
    private let isSplit: Bool
    private var log: [String] = []
    /// Bytes of DATA by stream, and whether the stream is ended.
    private var bodies: [UInt32: [UInt8]] = [:]
    private var sizes: [UInt32: [Int]] = [:]
    private var ended: Set<UInt32> = []
    private var pongs: [[UInt8]] = []

    /// Nil when all went as it should, or what was wrong.
    static func play(_ test: Case, port: UInt16, checksBody: Bool, isSplit: Bool) throws -> String? {
        var player = Player(
            connection: try RawConnection(port: port), checksBody: checksBody, isSplit: isSplit)
        guard let fault = player.run(test) else { return nil }
        return fault + "; heard: " + player.log.suffix(20).joined(separator: ", ")
    }

    private init(connection: RawConnection, checksBody: Bool, isSplit: Bool) {
        self.connection = connection
        self.checksBody = checksBody
        self.isSplit = isSplit
    }

    private mutating func run(_ test: Case) -> String? {
        if test.greets, let fault = greet(test.offers) { return fault }
        for step in test.steps {
            switch step {
            case .send(let bytes) where isSplit && bytes.count < 2000:
                for byte in bytes { connection.send([byte]) }
            case .send(let bytes): connection.send(bytes)
            case .answer(let stream):
                if !hear(until: { $0.ended.contains(stream) }) { return "no answer on stream \(stream)" }
            case .data(let stream, let count):
                if !hear(until: { $0.bodies[stream, default: []].count >= count }) {
                    return "no \(count) bytes of DATA"
                }
            }
        }
        return judge(test.outcome)
    }

    private mutating func greet(_ entries: [(UInt16, UInt32)]) -> String? {
        let payload = entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + number($0.1) }
        connection.send(RawConnection.magic + Frame(Frame.settings, 0, 0, payload).bytes)
        var greeted = false
        var acknowledged = false
        while !greeted || !acknowledged {
            guard case .frame(let frame) = take() else { return "no greeting" }
            guard frame.type == Frame.settings else { continue }
            if frame.flags & Frame.acknowledge != 0 { acknowledged = true } else { greeted = true }
        }
        connection.send(settingsAcknowledged)
        return nil
    }

    private mutating func judge(_ outcome: Case.Outcome) -> String? {
        switch outcome {
        case .connectionError(let codes): return expectError(nil, codes)
        case .streamError(let stream, let codes): return expectError(stream, codes)
        case .answered(let stream, let body):
            guard hear(until: { $0.ended.contains(stream) }) else { return "no answer on stream \(stream)" }
            let got = String(decoding: bodies[stream, default: []], as: UTF8.self)
            if let body, checksBody, got != body { return "the body is \(got)" }
            return expectAlive()
        case .alive: return expectAlive()
        case .pong(let payload):
            guard hear(until: { !$0.pongs.isEmpty }) else { return "no answer to the ping" }
            return pongs == [Array(payload.utf8)] ? expectAlive() : "the answer to the ping is \(pongs)"
        case .settings:
            guard case .frame(let frame) = take() else { return "nothing came" }
            return frame.type == Frame.settings && frame.flags == 0 && frame.stream == 0
                ? nil : "the first frame is not SETTINGS"
        case .settingsAcknowledged:
            while case .frame(let frame) = take() {
                if frame.type == Frame.settings, frame.flags & Frame.acknowledge != 0, frame.payload.isEmpty {
                    return nil
                }
            }
            return "no acknowledgement"
        case .dataSizes(let stream, let wanted):
            guard hear(until: { $0.sizes[stream, default: []].count >= wanted.count }) else {
                return "only \(sizes[stream, default: []])"
            }
            if let fault = expectAlive() { return fault }
            return sizes[stream, default: []] == wanted ? nil : "DATA of \(sizes[stream, default: []])"
        }
    }

    private mutating func expectError(_ stream: UInt32?, _ codes: [ErrorNumber]) -> String? {
        while true {
            switch take() {
            case .closed: return nil
            case .silence: return "no error came"
            case .frame(let frame):
                let fits = frame.type == Frame.goAway || frame.type == Frame.reset && frame.stream == stream
                guard fits else { continue }
                if let code = frame.code, codes.contains(code) { return nil }
                // An end with NO_ERROR may come behind an early answer.
                if frame.type == Frame.reset, frame.code == .noError { continue }
                return "\(frame.type == Frame.goAway ? "GOAWAY" : "RST_STREAM") with \(frame.code as Any)"
            }
        }
    }

    /// A ping comes back, and neither GOAWAY nor a reset for cause before it.
    private mutating func expectAlive() -> String? {
        let probe = Array("are you?".utf8)
        connection.send(ping(probe))
        guard hear(until: { $0.pongs.last == probe }) else { return "the connection did not live on" }
        return nil
    }

    /// Hears frames until the condition holds; false when it cannot any more.
    private mutating func hear(until condition: (Player) -> Bool) -> Bool {
        while !condition(self) {
            guard case .frame(let frame) = take() else { return false }
            if frame.type == Frame.goAway || frame.type == Frame.reset && frame.code != .noError {
                return false
            }
        }
        return true
    }

    private mutating func take() -> RawConnection.Incoming {
        let incoming = connection.next()
        switch incoming {
        case .closed: log.append("end")
        case .silence: log.append("silence")
        case .frame(let frame):
            log.append("\(frame.type)/\(frame.flags) on \(frame.stream) (\(frame.payload.count))")
            switch frame.type {
            case Frame.data:
                bodies[frame.stream, default: []] += frame.payload
                if !frame.payload.isEmpty { sizes[frame.stream, default: []].append(frame.payload.count) }
            case Frame.ping where frame.flags & Frame.acknowledge != 0: pongs.append(frame.payload)
            case Frame.goAway, Frame.reset: log[log.count - 1] += " \(frame.code as Any)"
            default: break
            }
            if frame.endsStream { ended.insert(frame.stream) }
        }
        return incoming
    }
}
