// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    public static let systemCallFailed = ErrorCode(
        "system-call-failed", .internal,
        cause: "The operating system refused a socket, thread or descriptor.",
        remedy:
            "Raise the limit of open files (LimitNOFILE=) or of threads, and see the message "
            + "for the call.")
    public static let listenFailed = ErrorCode(
        "listen-failed", .configuration,
        cause: "The server cannot listen at the address in its settings.",
        remedy: "Choose an address of this machine and a free port, or stop the program that uses it.")
    public static let addressInvalid = ErrorCode(
        "address-invalid", .configuration,
        cause: "An address is not one that a socket can have.",
        remedy: "Use a host name, an IPv4 or IPv6 address, or a path of at most 107 bytes.")
    public static let nameNotResolved = ErrorCode(
        "name-not-resolved", .unavailable,
        cause: "The address of a host could not be found.",
        remedy: "Check the name and the resolver; the attempt can be repeated.")
    public static let connectFailed = ErrorCode(
        "connect-failed", .unavailable,
        cause: "No connection to a server could be made.",
        remedy:
            "Check that the server runs and that its address and port are right; the attempt "
            + "can be repeated.")
    public static let connectDeadline = ErrorCode(
        "connect-deadline", .deadline,
        cause: "A connection was not there in time.",
        remedy: "Check the network between here and the server; the attempt can be repeated.")
    public static let handshakeFailed = ErrorCode(
        "tls-handshake-failed", .unavailable,
        cause: "The two sides could not agree on a TLS session.",
        remedy:
            "Both sides need TLS 1.3, or TLS 1.2 where the settings allow it, and "
            + "certificates that the other trusts.")
    public static let peerNotTrusted = ErrorCode(
        "peer-not-trusted", .notAuthenticated,
        cause:
            "The other side's certificate is missing, expired, revoked, for another purpose "
            + "or name, or of an unknown CA.",
        remedy: "See the message for which; get a certificate from a CA that this side trusts.")
    public static let materialMissing = ErrorCode(
        "tls-material-missing", .configuration,
        cause: "TLS is asked for, and a certificate, key or CA is not in the settings.",
        remedy:
            "Name the files in the settings; a server without TLS or without client "
            + "certificates must say so by name.")
    public static let materialInvalid = ErrorCode(
        "tls-material-invalid", .configuration,
        cause: "A certificate, key, CA or CRL for TLS cannot be used.",
        remedy:
            "See the message for the file; certificates and CRLs are PEM, and the key "
            + "belongs to the certificate.")
    public static let connectionClosed = ErrorCode(
        "connection-closed", .unavailable,
        cause: "A connection ended while it was in use.",
        remedy: "The call can be repeated on another connection.")

    static let ofTransport: [ErrorCode] = [
        systemCallFailed, listenFailed, addressInvalid, nameNotResolved, connectFailed, connectDeadline,
        handshakeFailed, peerNotTrusted, materialMissing, materialInvalid, connectionClosed,
    ]
}
