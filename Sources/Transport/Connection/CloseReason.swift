// SPDX-License-Identifier: Apache-2.0

/// Why a connection ended.
public enum CloseReason: Hashable, Sendable, CustomStringConvertible {
    /// Both sides said that they were done.
    case done
    /// The other side closed or reset the connection without saying so; what was on its way may be cut off.
    case cut
    /// The connection could not be made; a text for the log.
    case notConnected(String)
    /// The TLS handshake failed.
    case handshake(HandshakeFailure)
    /// A limit of `TransportLimits`.
    case handshakeTimeout
    case idle
    case tooSlow
    case tooMuchOutput
    /// It was old, or the listener drained, and it was not done in time.
    case drained
    /// The peer's certificate is revoked, denied or no longer trusted since the material was loaded anew.
    case peerRefused
    /// This peer has too many connections.
    case tooManyConnections
    /// A protocol ended it, in the protocol's words.
    case violation(String)
    /// This side's program let go of it.
    case abandoned
    case system(String)

    public var description: String {
        switch self {
        case .done: "done"
        case .cut: "cut by the peer"
        case .notConnected(let text): text
        case .handshake(let failure): "\(failure)"
        case .handshakeTimeout: "the TLS handshake took too long"
        case .idle: "idle for too long"
        case .tooSlow: "the peer sends or takes data too slowly"
        case .tooMuchOutput: "the peer does not take the data that waits for it"
        case .drained: "closed for its age or a shutdown"
        case .peerRefused: "the peer's certificate is no longer accepted"
        case .tooManyConnections: "too many connections of this peer"
        case .violation(let text): text
        case .abandoned: "closed by this side"
        case .system(let text): text
        }
    }
}

/// Why a TLS handshake failed.
public enum HandshakeFailure: Hashable, Sendable, CustomStringConvertible {
    /// This side refused the other's certificate, for this reason.
    case peerRefused(String)
    /// The other side refused ours, or the versions and methods do not meet: its alert.
    case alert(String)
    /// No common version or cipher, or no TLS at all.
    case disagreement(String)
    /// The other side ended the connection during the handshake.
    case cut

    public var description: String {
        switch self {
        case .peerRefused(let why): "the peer's certificate is refused: \(why)"
        case .alert(let alert): "the peer answered the TLS handshake with: \(alert)"
        case .disagreement(let why): "no TLS session: \(why)"
        case .cut: "the peer closed the connection during the TLS handshake"
        }
    }
}
