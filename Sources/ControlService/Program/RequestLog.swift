// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import HTTP

/// A line and a count for each request. What a client wrote is in neither, but for the id that it chose.
public struct RequestLog: Sendable {
    private let log: Log
    private let requests: MetricFamily<Counter>
    private let durations: MetricFamily<Histogram>

    public init(_ metrics: Metrics, _ log: Log) {
        self.log = log
        requests = metrics.counters(
            "signet_http_requests_total", help: "Requests that were answered.",
            labels: [
                .open("route", atMost: 60), .values("class", ["1xx", "2xx", "3xx", "4xx", "5xx", "none"]),
            ])
        durations = metrics.histograms(
            "signet_http_request_seconds", help: "From a request's head to the end of its answer.",
            labels: [.open("route", atMost: 60)])
    }

    /// For `Server`.
    public func observe(_ report: RequestReport) {
        let route = report.route ?? "none"
        requests.at(route, Self.sort(of: report.status)).add()
        durations.at(route).record(report.duration)
        let log = log.with(request: report.id)
        let method = LogValue.public(report.method.rawValue, because: "one of the methods of HTTP")
        let path = LogValue.public(route, because: "the pattern of a route, written in the program")
        let status = LogValue.integer(report.status?.rawValue ?? 0)
        guard let code = report.code else {
            return log.info(
                "request",
                ["method": method, "route": path, "status": status, "seconds": .duration(report.duration)])
        }
        guard let fault = report.fault else {
            return log.info(
                "request refused", ["method": method, "route": path, "status": status, "code": .code(code)])
        }
        if let fault = fault as? any CodedError {
            log.error(
                "request failed",
                ["method": method, "route": path, "code": .code(code), "fault": fault.logValue])
        } else {
            log.error(
                "request failed",
                [
                    "method": method, "route": path, "code": .code(code),
                    "fault": .public(String(describing: type(of: fault)), because: "the name of a type"),
                ])
        }
    }

    private static func sort(of status: Status?) -> String {
        guard let status else { return "none" }
        return "\(status.rawValue / 100)xx"
    }
}

extension CodedError {
    fileprivate var logValue: LogValue { .error(self) }
}
