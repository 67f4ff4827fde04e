// SPDX-License-Identifier: Apache-2.0

/// All metrics of a program.
///
/// Each is declared at the start, with a name, a help text and labels that are fixed in the source; every declared
/// series is there at zero before the first event. A declaration that Prometheus would refuse, or that exists already,
/// is a mistake in the program and stops it.
public final class Metrics: Sendable {
    /// More series than this in one metric are a mistake.
    public static let seriesLimit = 2000

    struct Family: Sendable {
        var name: String
        var help: String
        var type: String
        var write: @Sendable (inout PrometheusText) -> Void
    }

    private let families = Lock<[String: Family]>([:])

    public init() {}

    public func counter(_ name: StaticString, help: StaticString) -> Counter {
        counters(name, help: help, labels: []).at()
    }

    public func counters(_ name: StaticString, help: StaticString, labels: [MetricLabel]) -> MetricFamily<
        Counter
    > {
        let family = MetricFamily(labels: labels) { Counter() }
        declare(name, help, "counter", labels) { text in
            for (labels, counter) in family.all {
                text.sample(name, labels, PrometheusText.number(counter.value))
            }
        }
        return family
    }

    /// A counter that is kept elsewhere and read when the metrics are.
    public func counter(
        _ name: StaticString, help: StaticString, reading value: @escaping @Sendable () -> UInt64
    ) {
        declare(name, help, "counter", []) { $0.sample(name, [], PrometheusText.number(value())) }
    }

    public func gauge(_ name: StaticString, help: StaticString) -> Gauge {
        gauges(name, help: help, labels: []).at()
    }

    public func gauges(_ name: StaticString, help: StaticString, labels: [MetricLabel]) -> MetricFamily<Gauge>
    {
        let family = MetricFamily(labels: labels) { Gauge() }
        declare(name, help, "gauge", labels) { text in
            for (labels, gauge) in family.all {
                text.sample(name, labels, PrometheusText.number(gauge.value))
            }
        }
        return family
    }

    /// A gauge that is measured when the metrics are read.
    public func gauge(
        _ name: StaticString, help: StaticString, reading value: @escaping @Sendable () -> Double
    ) {
        declare(name, help, "gauge", []) { $0.sample(name, [], PrometheusText.number(value())) }
    }

    /// Gauges that are measured when the metrics are read, by the values that one label has then, each once and at most
    /// `seriesLimit` of them.
    public func gauges(
        _ name: StaticString, help: StaticString, label: StaticString,
        reading values: @escaping @Sendable () -> [(label: String, value: Double)]
    ) {
        declare(name, help, "gauge", []) { text in
            var seen: Set<String> = []
            for (value, number) in values().prefix(Self.seriesLimit) where seen.insert(value).inserted {
                text.sample(name, [(label.description, value)], PrometheusText.number(number))
            }
        }
    }

    public func histogram(
        _ name: StaticString, help: StaticString, bounds: [Double] = Histogram.seconds
    ) -> Histogram {
        histograms(name, help: help, labels: [], bounds: bounds).at()
    }

    public func histograms(
        _ name: StaticString, help: StaticString, labels: [MetricLabel], bounds: [Double] = Histogram.seconds
    ) -> MetricFamily<Histogram> {
        precondition(
            !bounds.isEmpty && bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy(<),
            "the bounds of \(name) do not rise")
        precondition(!labels.contains { $0.name == "le" }, "a histogram has a label le of its own")
        let family = MetricFamily(labels: labels) { Histogram(bounds: bounds) }
        declare(name, help, "histogram", labels) { text in
            for (labels, histogram) in family.all { text.histogram(name, labels, histogram) }
        }
        return family
    }

    /// The exposition format of Prometheus, version 0.0.4.
    public var text: [UInt8] {
        var text = PrometheusText()
        for (_, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            text.head(family.name, help: family.help, type: family.type)
            family.write(&text)
        }
        return text.bytes
    }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    // MARK: Declarations

    private func declare(
        _ name: StaticString, _ help: StaticString, _ type: String, _ labels: [MetricLabel],
        write: @escaping @Sendable (inout PrometheusText) -> Void
    ) {
        let text = name.description
        precondition(Self.isName(text), "\(text) is no name for a metric")
        precondition(
            (type == "counter") == text.hasSuffix("_total"), "\(text): counters alone end with _total")
        precondition(
            !["_count", "_sum", "_bucket"].contains { text.hasSuffix($0) },
            "\(text) ends like part of a histogram")
        precondition(!help.description.isEmpty, "\(text) needs a help text")
        precondition(
            labels.allSatisfy { Self.isName($0.name) }, "\(text): bad name of a label")
        precondition(Set(labels.map(\.name)).count == labels.count, "\(text): two labels of one name")
        // With room for `other`.
        let most = labels.reduce(1) { $0 * ($1.values.count + $1.room + 1) }
        precondition(most <= Self.seriesLimit, "\(text) could have \(most) series")
        let family = Family(name: text, help: help.description, type: type, write: write)
        let isNew = families.withLock { $0.updateValue(family, forKey: text) == nil }
        precondition(isNew, "\(text) is declared twice")
    }

    /// Lower case alone and no colons, which are for recording rules; two underscores at the start are Prometheus' own.
    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !text.hasPrefix("__"), !(0x30...0x39).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
