// SPDX-License-Identifier: Apache-2.0

/// A label of a metric and the values that it can have.
///
/// A value that was not declared counts as `other`, so that the number of series has a bound which is known at the
/// start.
public struct MetricLabel: Sendable {
    let name: String
    let values: [String]
    /// How many more values may come in while the program runs.
    let room: Int

    /// All values are known when the program is written.
    public static func values(_ name: StaticString, _ values: [StaticString]) -> MetricLabel {
        MetricLabel(name: name.description, values: values.map(\.description), room: 0)
    }

    /// The values are known when the program starts, like the names of providers in the settings.
    public static func settings(_ name: StaticString, _ values: [String]) -> MetricLabel {
        MetricLabel(name: name.description, values: values, room: 0)
    }

    /// The first `count` values that come are taken, whoever chose them. To be used only where the operator asked for
    /// it: the values are shown to everybody who reads the metrics.
    public static func open(_ name: StaticString, atMost count: Int) -> MetricLabel {
        MetricLabel(name: name.description, values: [], room: max(0, count))
    }

    static let other = "other"
    /// Longer values of an open label count as `other`.
    static let longest = 128
}
