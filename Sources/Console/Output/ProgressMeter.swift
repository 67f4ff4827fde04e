// SPDX-License-Identifier: Apache-2.0

/// How far a run is, how fast it goes and how long it will take; pure, the time comes in.
///
/// The rate is that of the last ten seconds, so that it tells of the present and a server that fell out shows. Nothing
/// is said about the remaining time before there is a rate.
public struct ProgressMeter: Sendable {
    public private(set) var total: Int
    public private(set) var done = 0
    public private(set) var failed = 0
    private let start: Duration
    /// Times and counts, the oldest first: what the rate is made from.
    private var samples: [(time: Duration, done: Int)]

    static let window: Duration = .seconds(10)

    public init(total: Int = 0, at start: Duration) {
        self.total = total
        self.start = start
        samples = [(start, 0)]
    }

    /// How many there are in all, as far as is known by now.
    public mutating func found(_ files: Int) { total = max(total, files) }

    public mutating func finished(failed isFailed: Bool, at time: Duration) {
        done += 1
        if isFailed { failed += 1 }
        // A few samples a second do.
        if let last = samples.last, samples.count > 1, time - last.time < .milliseconds(200) {
            samples[samples.count - 1].done = done
        } else {
            samples.append((time, done))
        }
        while samples.count > 2, samples[1].time < time - Self.window { samples.removeFirst() }
    }

    /// Files a second, lately.
    func rate(at time: Duration) -> Double? {
        guard done > 0, let first = samples.last(where: { $0.time <= time - Self.window }) ?? samples.first
        else { return nil }
        let span = (time - first.time) / .seconds(1)
        return span > 0.05 ? Double(done - first.done) / span : nil
    }

    func remaining(at time: Duration) -> Duration? {
        guard let rate = rate(at: time), rate > 0, total > done else { return nil }
        return .milliseconds(Int64(min(Double(total - done) / rate * 1000, 1e12)))
    }

    // MARK: Shown

    /// For a terminal of so many columns: `[########    ]  66%  132/200  85/s  1s left  2 failed`
    public func bar(columns: Int, at time: Duration) -> String {
        let percent = total > 0 ? done * 100 / total : 0
        let shown = String(repeating: " ", count: max(0, 3 - String(percent).count)) + "\(percent)%"
        let facts = "  \(shown)  " + words(at: time)
        let room = min(40, columns - 3 - facts.count)
        guard room >= 5 else { return String(facts.drop { $0 == " " }.prefix(max(0, columns - 1))) }
        let filled = total > 0 ? min(room, done * room / total) : 0
        return "[" + String(repeating: "#", count: filled) + String(repeating: " ", count: room - filled)
            + "]"
            + facts
    }

    /// For everything else: `132 of 200 files, 85/s, 1s left, 2 failed`
    public func line(at time: Duration) -> String {
        ([" \(done) of \(total) files".dropFirst().description] + facts(at: time)).joined(separator: ", ")
    }

    private func words(at time: Duration) -> String {
        (["\(done)/\(total)"] + facts(at: time)).joined(separator: "  ")
    }

    private func facts(at time: Duration) -> [String] {
        var facts: [String] = []
        if let rate = rate(at: time) { facts.append(Self.shown(rate: rate)) }
        if let remaining = remaining(at: time) { facts.append("\(Self.shown(remaining)) left") }
        if failed > 0 { facts.append("\(failed) failed") }
        return facts
    }

    static func shown(rate: Double) -> String {
        if rate >= 10 { return "\(Int(rate.rounded()))/s" }
        let tenths = Int((rate * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)/s"
    }

    static func shown(_ time: Duration) -> String {
        let seconds = Int(time.components.seconds)
        switch seconds {
        case ..<1: return "1s"
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m\(padded(seconds % 60))s"
        default: return "\(seconds / 3600)h\(padded(seconds / 60 % 60))m"
        }
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
