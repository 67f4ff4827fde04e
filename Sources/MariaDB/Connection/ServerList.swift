// SPDX-License-Identifier: Apache-2.0

/// In which order to try the servers: as the settings say, but those that failed of late come last.
struct ServerList: Sendable {
    private let order: DatabaseSettings.Order
    /// When each server failed last.
    private var failures: [ContinuousClock.Instant?]

    /// How long a failure counts.
    static let memory = Duration.seconds(10)

    init(_ settings: DatabaseSettings) {
        order = settings.order
        failures = Array(repeating: nil, count: settings.servers.count)
    }

    /// Places in the list, each once.
    func order(at now: ContinuousClock.Instant, random: () -> UInt64) -> [Int] {
        var places = Array(failures.indices)
        if order == .random {
            for place in places.indices.dropFirst() {
                places.swapAt(place, Int(random() % UInt64(place + 1)))
            }
        }
        return places.filter { !isSuspect($0, now) } + places.filter { isSuspect($0, now) }
    }

    mutating func answered(_ place: Int) { failures[place] = nil }
    mutating func failed(_ place: Int, at now: ContinuousClock.Instant) { failures[place] = now }

    private func isSuspect(_ place: Int, _ now: ContinuousClock.Instant) -> Bool {
        failures[place].map { now - $0 < Self.memory } ?? false
    }
}
