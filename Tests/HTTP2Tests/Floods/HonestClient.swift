// SPDX-License-Identifier: Apache-2.0

/// A client that asks eight things at a time and waits for the answers.
final class HonestClient {
    private let connection: RawConnection
    private var stream: UInt32 = 1

    struct CutOff: Error {}

    init(port: UInt16) throws {
        connection = try RawConnection(port: port)
        connection.send(
            RawConnection.magic + settings() + settingsAcknowledged + windowUpdate(0, 0x7000_0000))
    }

    private static let block = HeaderBlock.request()
    private static let body = message("hello")

    /// How many answers it gets in a stretch of time, a second.
    func rate(over time: Duration) throws -> Double {
        let start = ContinuousClock.now
        var answers = 0
        while ContinuousClock.now - start < time {
            try batch()
            answers += 8
        }
        return Double(answers) / ((ContinuousClock.now - start) / .seconds(1))
    }

    private func batch() throws {
        var open = Set<UInt32>()
        var bytes: [UInt8] = []
        for _ in 0..<8 {
            bytes += headers(stream, Self.block, end: false) + data(stream, Self.body)
            open.insert(stream)
            stream += 2
        }
        guard connection.send(bytes) else { throw CutOff() }
        while !open.isEmpty {
            guard case .frame(let frame) = connection.next() else { throw CutOff() }
            if frame.type == Frame.reset || frame.type == Frame.goAway { throw CutOff() }
            if frame.endsStream { open.remove(frame.stream) }
        }
    }
}
