// SPDX-License-Identifier: Apache-2.0

/// Diagnostics is what a running program tells about itself: log lines, metrics and errors.
///
/// A log line is a static message with typed attributes. Text that the program did not write itself gets in only
/// through `LogValue.public(_:because:)`, with a reason that a reviewer can judge; bytes and secrets become
/// `<redacted N bytes>` or do not compile. Lines go through a bounded queue to one writer thread, so a slow reader
/// costs lines and never time; what is dropped is counted and reported. Metrics are declared before they are counted,
/// with the values of their labels, so that no peer can make their number grow. Errors are one vocabulary
/// (`ErrorCode`) over REST, gRPC, the command line and the log.
///
/// ```swift
/// let sink = try LogSink(program: "data-server")
/// let log = Log(to: sink).with(request: .random())
/// log.info("key opened", ["version": 3, "name": .public(name, because: "key names are in the public list")])
///
/// let metrics = Metrics()
/// let signed = metrics.counters(
///     "signet_sign_requests_total", help: "Signing jobs.", labels: [.values("result", ["ok", "refused"])])
/// let ok = signed.at("ok")
/// ok.add()
/// ```
public struct DiagnosticsError: CodedError, Equatable {
    public let code: ErrorCode
    public let message: String
}
