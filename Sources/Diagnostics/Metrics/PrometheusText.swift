// SPDX-License-Identifier: Apache-2.0

/// The text format of Prometheus, version 0.0.4.
///
/// ```
/// # HELP name help            ; \ and line feed escaped
/// # TYPE name counter|gauge|histogram
/// name{label="value",…} number ; \ and " and line feed escaped
/// ```
struct PrometheusText {
    private(set) var bytes: [UInt8] = []

    mutating func head(_ name: String, help: String, type: String) {
        bytes += Array("# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(type)\n".utf8)
    }

    mutating func sample(
        _ name: StaticString, suffix: String = "", _ labels: [(name: String, value: String)], _ number: String
    ) {
        bytes += Array((name.description + suffix).utf8)
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
            bytes += Array("{\(pairs.joined(separator: ","))}".utf8)
        }
        bytes += Array(" \(number)\n".utf8)
    }

    mutating func histogram(
        _ name: StaticString, _ labels: [(name: String, value: String)], _ histogram: Histogram
    ) {
        let counts = histogram.cumulative
        for (bound, count) in zip(histogram.bounds + [.infinity], counts) {
            sample(
                name, suffix: "_bucket", labels + [(name: "le", value: Self.number(bound))],
                Self.number(count))
        }
        sample(name, suffix: "_sum", labels, Self.number(histogram.total))
        sample(name, suffix: "_count", labels, Self.number(counts.last ?? 0))
    }

    static func number(_ value: UInt64) -> String { String(value) }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
