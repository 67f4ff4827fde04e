// SPDX-License-Identifier: Apache-2.0

/// The series of one metric: a counter, gauge or histogram for each combination of its labels' values.
public final class MetricFamily<Instrument: Sendable>: Sendable {
    private struct Series {
        var instruments: [[String]: Instrument] = [:]
        /// For each label, the values that have a series.
        var known: [Set<String>]
    }

    private let labels: [MetricLabel]
    private let make: @Sendable () -> Instrument
    private let series: Lock<Series>

    init(labels: [MetricLabel], make: @escaping @Sendable () -> Instrument) {
        self.labels = labels
        self.make = make
        var series = Series(known: labels.map { Set($0.values) })
        for values in Self.combinations(labels) { series.instruments[values] = make() }
        self.series = Lock(series)
    }

    /// The series with these values, one for each label, in the order in which the labels were declared. Looked up
    /// under a lock: keep it where it is used often.
    public func at(_ values: String...) -> Instrument {
        precondition(values.count == labels.count, "a metric needs a value for each of its labels")
        return series.withLock { series in
            var place: [String] = []
            for (index, value) in values.enumerated() {
                if series.known[index].contains(value) {
                    place.append(value)
                } else if series.known[index].count < labels[index].values.count + labels[index].room,
                    value != MetricLabel.other, value.utf8.count <= MetricLabel.longest
                {
                    series.known[index].insert(value)
                    place.append(value)
                } else {
                    place.append(MetricLabel.other)
                }
            }
            if let instrument = series.instruments[place] { return instrument }
            let instrument = make()
            series.instruments[place] = instrument
            return instrument
        }
    }

    /// Every series and its labels as text, in a fixed order.
    var all: [(labels: [(name: String, value: String)], instrument: Instrument)] {
        let instruments: [[String]: Instrument] = series.withLock { $0.instruments }
        return instruments.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { values, instrument in
            let pairs = zip(labels, values).map { (name: $0.name, value: $1) }
            return (labels: pairs, instrument: instrument)
        }
    }

    private static func combinations(_ labels: [MetricLabel]) -> [[String]] {
        labels.reduce([[]]) { found, label in found.flatMap { head in label.values.map { head + [$0] } } }
    }
}
