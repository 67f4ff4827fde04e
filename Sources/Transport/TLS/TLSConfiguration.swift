// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Cryptography
internal import Diagnostics
internal import Secrets

/// An `SSL_CTX`, complete and never changed again.
@safe final class TLSConfiguration: @unchecked Sendable {
    let context: OpaquePointer
    let role: Connection.Role
    let denied: Set<TLSSettings.Denied>
    let pins: Set<[UInt8]>
    /// The protocols in wire form: each with its length in front.
    let protocols: [UInt8]

    init(_ settings: TLSSettings) throws {
        try settings.check()
        let method = unsafe settings.role == .server ? TLS_server_method() : TLS_client_method()
        guard let context = unsafe SSL_CTX_new(method) else { throw TransportError.openSSL("SSL_CTX_new") }
        unsafe self.context = context
        role = settings.role
        denied = settings.denied
        pins = settings.pins
        protocols = settings.applicationProtocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        // From here on `deinit` frees the context, also when something below throws.
        try setProtocol(settings)
        try setIdentity(settings)
        try setTrust(settings)
        setCallbacks(settings)
    }

    deinit { unsafe SSL_CTX_free(context) }

    private func setProtocol(_ settings: TLSSettings) throws {
        let least = settings.allowsTLS12 ? TLS1_2_VERSION : TLS1_3_VERSION
        unsafe try check(
            Int32(shim_SSL_CTX_set_min_proto_version(context, least)), "SSL_CTX_set_min_proto_version")
        unsafe try check(
            SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"), "SSL_CTX_set_cipher_list")
        unsafe try check(
            Int32(shim_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")), "SSL_CTX_set1_groups_list")
        // A resumed session would skip the look at certificate and CRL.
        let options = shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_NO_COMPRESSION | shim_SSL_OP_NO_TICKET
        unsafe SSL_CTX_set_options(context, options)
        unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, 0)
        unsafe SSL_CTX_set_max_early_data(context, 0)
        unsafe SSL_CTX_set_security_level(context, 2)
        let mode =
            SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
            | SSL_MODE_NO_AUTO_CHAIN
        unsafe shim_SSL_CTX_set_mode(context, Int(mode))
        // One system call for many records; the buffer goes away when it is empty.
        unsafe shim_SSL_CTX_set_read_ahead(context, 1)
        unsafe SSL_CTX_set_default_read_buffer_len(context, 64 << 10)
    }

    private func setIdentity(_ settings: TLSSettings) throws {
        guard let source = settings.certificates, let key = settings.key else { return }
        var chain = try PEMFile(source).certificates()[...]
        guard let leaf = chain.popFirst() else {
            throw TransportError(.materialInvalid, "\(source.name): no certificate is in it")
        }
        guard unsafe SSL_CTX_use_certificate(context, leaf.pointer) == 1 else {
            throw TransportError.openSSL("\(source.name): the certificate cannot be used")
        }
        for certificate in chain {
            unsafe X509_up_ref(certificate.pointer)
            guard unsafe shim_SSL_CTX_add0_chain_cert(context, certificate.pointer) == 1 else {
                unsafe X509_free(certificate.pointer)
                throw TransportError.openSSL("\(source.name): a certificate of the chain cannot be used")
            }
        }
        try key.use(in: self)
        guard unsafe SSL_CTX_check_private_key(context) == 1 else {
            ERR_clear_error()
            throw TransportError(
                .materialInvalid,
                "\(key.name): the private key does not belong to the certificate of \(source.name)")
        }
    }

    private func setTrust(_ settings: TLSSettings) throws {
        let store = unsafe SSL_CTX_get_cert_store(context)
        var flags = UInt(X509_V_FLAG_TRUSTED_FIRST)
        switch settings.trust {
        case .authorities(let source):
            let authorities = try PEMFile(source).certificates()
            guard !authorities.isEmpty else {
                throw TransportError(.materialInvalid, "\(source.name): no certificate is in it")
            }
            for authority in authorities {
                unsafe try check(X509_STORE_add_cert(store, authority.pointer), "X509_STORE_add_cert")
                if role == .server {
                    unsafe try check(
                        SSL_CTX_add_client_CA(context, authority.pointer), "SSL_CTX_add_client_CA")
                }
            }
            flags |= UInt(X509_V_FLAG_PARTIAL_CHAIN)
        case .system:
            unsafe try check(SSL_CTX_set_default_verify_paths(context), "SSL_CTX_set_default_verify_paths")
        case nil: break
        }
        for source in settings.revocations {
            let lists = try PEMFile(source).revocationLists()
            guard !lists.isEmpty else {
                throw TransportError(.materialInvalid, "\(source.name): no revocation list is in it")
            }
            for list in lists {
                unsafe try check(X509_STORE_add_crl(store, list.pointer), "X509_STORE_add_crl")
            }
            flags |= UInt(X509_V_FLAG_CRL_CHECK)
        }
        unsafe try check(X509_STORE_set_flags(store, flags), "X509_STORE_set_flags")
    }

    private func setCallbacks(_ settings: TLSSettings) {
        unsafe SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(self).toOpaque())
        let asks = role == .client || settings.clients == .certified
        let mode = asks ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE
        unsafe SSL_CTX_set_verify(context, mode, TLSCallbacks.verify)
        guard !protocols.isEmpty else { return }
        if role == .server {
            unsafe SSL_CTX_set_alpn_select_cb(context, TLSCallbacks.selectProtocol, nil)
        } else {
            unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count))
        }
    }

    private func check(_ result: Int32, _ call: String) throws(TransportError) {
        guard result == 1 else { throw .openSSL(call) }
    }

    // MARK: Judgement

    /// What the settings say of a peer's certificate, after the library has verified it.
    func accepts(_ certificate: X509Certificate, issuedBy authority: X509Certificate?) -> Bool {
        if !denied.isEmpty {
            if denied.contains(.fingerprint(certificate.fingerprint)) { return false }
            if let authority,
                denied.contains(.serial(certificate.serial, authority: authority.fingerprint))
            {
                return false
            }
        }
        return role == .server || pins.isEmpty || pins.contains(certificate.publicKeyFingerprint)
    }
}

extension TransportError {
    /// A failed call, with what is in this thread's error queue.
    static func openSSL(_ what: String) -> TransportError {
        let number = ERR_get_error()
        ERR_clear_error()
        let reason =
            unsafe ERR_reason_error_string(number).map { unsafe String(cString: $0) } ?? "no reason given"
        return TransportError(.materialInvalid, "\(what): \(reason)")
    }
}
