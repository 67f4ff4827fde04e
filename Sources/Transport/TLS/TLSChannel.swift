// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// An `SSL` on a non-blocking socket.
@safe final class TLSChannel: Channel {
    let context: TLSContext
    /// What the handshake went by; the library's callbacks reach it through the session, so it has to stay.
    private let configuration: TLSConfiguration
    private let session: OpaquePointer
    private let socket: Descriptor
    private(set) var peer: PeerIdentity?
    /// Records of handshakes that came when the handshake was over: new keys, tickets, wishes to begin again.
    private var lateRecords = 0

    init(server context: TLSContext, _ socket: consuming Descriptor) throws(TransportError) {
        self.context = context
        configuration = context.current
        unsafe session = try Self.session(configuration, socket.number)
        self.socket = socket
        unsafe SSL_set_accept_state(session)
    }

    /// The server's certificate has to be for `serverName`, when there is one.
    init(client context: TLSContext, serverName: String?, _ socket: consuming Descriptor)
        throws(TransportError)
    {
        self.context = context
        configuration = context.current
        unsafe session = try Self.session(configuration, socket.number)
        self.socket = socket
        unsafe SSL_set_connect_state(session)
        guard let serverName else { return }
        // A subject's common name is no host name.
        let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
        unsafe SSL_set_hostflags(session, UInt32(flags))
        let result: Int32
        if Address(serverName, port: 0) != nil {
            result = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), serverName)
        } else {
            unsafe shim_SSL_set_tlsext_host_name(session, serverName)
            result = unsafe SSL_set1_host(session, serverName)
        }
        guard result == 1 else { throw .openSSL("the server's name \(serverName)") }
    }

    private static func session(
        _ configuration: TLSConfiguration, _ socket: Int32
    ) throws(TransportError) -> OpaquePointer {
        guard let session = unsafe SSL_new(configuration.context) else { throw .openSSL("SSL_new") }
        guard unsafe SSL_set_fd(session, socket) == 1 else {
            unsafe SSL_free(session)
            throw .openSSL("SSL_set_fd")
        }
        return unsafe session
    }

    deinit { unsafe SSL_free(session) }

    var descriptor: Int32 { socket.number }
    var holdsInput: Bool { unsafe SSL_has_pending(session) == 1 }
    /// One record.
    var writeSize: Int { 16 << 10 }

    var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(session, &name, &count)
        guard let name = unsafe name else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    // MARK: Bytes

    func handshake() -> IOResult {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(session)
        guard result == 1 else { return outcome(result, inHandshake: true) }
        unsafe SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_set_msg_callback(session, TLSCallbacks.message)
        return takePeer()
            ? .bytes(0) : .failed(.handshake(.peerRefused("a name in its certificate is malformed")))
    }

    func read(into buffer: ReadBuffer) -> IOResult {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_read_ex(session, buffer.storage.baseAddress, buffer.capacity, &count)
        return result == 1 ? .bytes(count) : outcome(0)
    }

    func wipeInput() { unsafe SSL_set_options(session, shim_SSL_OP_CLEANSE_PLAINTEXT) }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) -> IOResult {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_write_ex(session, bytes.baseAddress, bytes.count, &count)
        return result == 1 ? .bytes(count) : outcome(0)
    }

    func sayEnd() {
        guard unsafe SSL_is_init_finished(session) == 1 else { return }
        ERR_clear_error()
        unsafe SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Honest peers take new keys after hundreds of gigabytes; others keep a core busy with them, in one single read.
    private static let mostLateRecords = 32

    func noteLateRecord() {
        lateRecords += 1
        // Ends the read that is under way: the library takes nothing more in.
        if lateRecords > Self.mostLateRecords { unsafe SSL_set_shutdown(session, SSL_RECEIVED_SHUTDOWN) }
    }

    /// What a call that did not succeed came to.
    private func outcome(_ result: Int32, inHandshake: Bool = false) -> IOResult {
        guard lateRecords <= Self.mostLateRecords else {
            ERR_clear_error()
            return .failed(.violation("TLS: more handshake messages after the handshake than any peer needs"))
        }
        switch unsafe SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return .wantsInput
        case SSL_ERROR_WANT_WRITE: return .wantsOutput
        case SSL_ERROR_ZERO_RETURN: return .end
        case SSL_ERROR_SSL: return .failed(failure(inHandshake))
        default:
            ERR_clear_error()
            return .failed(inHandshake ? .handshake(.cut) : .cut)
        }
    }

    private func failure(_ inHandshake: Bool) -> CloseReason {
        let error = ERR_get_error()
        ERR_clear_error()
        let reason = ERR_GET_REASON(error)
        let text =
            unsafe ERR_reason_error_string(error).map { unsafe String(cString: $0) } ?? "no reason given"
        if reason == SSL_R_UNEXPECTED_EOF_WHILE_READING { return inHandshake ? .handshake(.cut) : .cut }
        // Alerts of the peer are reasons of their own, from a fixed number on.
        if reason >= SSL_AD_REASON_OFFSET { return .handshake(.alert(Self.alert(text))) }
        guard inHandshake else { return .violation("TLS: \(text)") }
        let verdict = unsafe SSL_get_verify_result(session)
        if verdict != Int(X509_V_OK) {
            return .handshake(.peerRefused(unsafe String(cString: X509_verify_cert_error_string(verdict))))
        }
        if reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE {
            return .handshake(.peerRefused("it has none"))
        }
        return .handshake(.disagreement(text))
    }

    /// The library still names alerts after the first protocol that had them.
    private static func alert(_ text: String) -> String {
        for prefix in ["sslv3 alert ", "tlsv1 alert ", "tlsv13 alert "] where text.hasPrefix(prefix) {
            return String(text.dropFirst(prefix.count))
        }
        return text
    }

    // MARK: The peer

    /// Reads who the peer is; false when its certificate cannot be understood.
    private func takePeer() -> Bool {
        guard let certificate = unsafe X509Certificate(borrowing: SSL_get0_peer_certificate(session)) else {
            return true
        }
        let chain = unsafe SSL_get0_verified_chain(session)
        let issuer = unsafe X509Certificate(
            borrowing: shim_sk_X509_num(chain) > 1 ? shim_sk_X509_value(chain, 1) : nil)
        peer = PeerIdentity(certificate, issuedBy: issuer ?? certificate)
        return peer != nil
    }

    /// Whether the peer would still be let in by a later configuration.
    func peerIsAccepted(by configuration: TLSConfiguration) -> Bool {
        guard let certificate = unsafe X509Certificate(borrowing: SSL_get0_peer_certificate(session)),
            let chain = unsafe X509_STORE_CTX_new()
        else { return false }
        defer {
            unsafe X509_STORE_CTX_free(chain)
            ERR_clear_error()
        }
        let store = unsafe SSL_CTX_get_cert_store(configuration.context)
        let sent = unsafe SSL_get_peer_cert_chain(session)
        guard unsafe X509_STORE_CTX_init(chain, store, certificate.pointer, sent) == 1,
            unsafe X509_STORE_CTX_set_default(
                chain, configuration.role == .server ? "ssl_client" : "ssl_server") == 1,
            unsafe X509_verify_cert(chain) == 1
        else { return false }
        let issuer = unsafe X509Certificate(
            borrowing: shim_sk_X509_value(X509_STORE_CTX_get0_chain(chain), 1))
        return configuration.accepts(certificate, issuedBy: issuer ?? certificate)
    }
}
