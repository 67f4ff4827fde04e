// SPDX-License-Identifier: Apache-2.0

/// Where a part of the program writes its log lines, with what all of them have in common.
public struct Log: Sendable {
    public let sink: LogSink
    private var request: RequestID?
    private var trace: TraceParent?
    private var scope: [(key: StaticString, value: LogValue)] = []

    public init(to sink: LogSink) {
        self.sink = sink
    }

    /// The same log, with attributes that every line of it bears.
    public func with(_ attributes: LogAttributes) -> Log {
        var log = self
        log.scope += attributes.map { (key: $0.key, value: $0.value) }
        return log
    }

    /// The same log, for one request.
    public func with(request: RequestID, trace: TraceParent? = nil) -> Log {
        var log = self
        log.request = request
        log.trace = trace
        return log
    }

    public func debug(_ message: StaticString, _ attributes: @autoclosure () -> LogAttributes = [:]) {
        write(.debug, message, attributes)
    }

    public func info(_ message: StaticString, _ attributes: @autoclosure () -> LogAttributes = [:]) {
        write(.info, message, attributes)
    }

    public func warning(_ message: StaticString, _ attributes: @autoclosure () -> LogAttributes = [:]) {
        write(.warning, message, attributes)
    }

    public func error(_ message: StaticString, _ attributes: @autoclosure () -> LogAttributes = [:]) {
        write(.error, message, attributes)
    }

    /// The attributes are not made unless the line is written.
    private func write(_ level: LogLevel, _ message: StaticString, _ attributes: () -> LogAttributes) {
        guard level >= sink.level else { return }
        sink.write(
            LogRecord(
                time: sink.clock(), level: level, program: sink.program, message: message, request: request,
                trace: trace, attributes: scope + attributes().map { (key: $0.key, value: $0.value) }))
    }
}
