// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let http2Protocol = ErrorCode(
        "http2-protocol", .unavailable,
        cause: "The peer of an HTTP/2 connection broke the protocol, so the connection was closed.",
        remedy: "Check that both ends speak HTTP/2 and that no middlebox rewrites the connection.")
    public static let http2Flood = ErrorCode(
        "http2-flood", .exhausted,
        cause: "The peer of an HTTP/2 connection sent more control frames than the limits allow.",
        remedy: "Look for a faulty or hostile client; the limits stand in the settings of the listener.")

    static let ofHTTP2: [ErrorCode] = [http2Protocol, http2Flood]
}
