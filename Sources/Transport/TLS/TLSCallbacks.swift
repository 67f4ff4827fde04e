// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What OpenSSL calls during a handshake, and for the records after it.
enum TLSCallbacks {
    /// Called for each certificate of the chain; the peer's own comes last and is judged by the settings as well.
    static let verify: @convention(c) (Int32, OpaquePointer?) -> Int32 = { verified, chain in
        guard verified == 1, unsafe X509_STORE_CTX_get_error_depth(chain) == 0 else { return verified }
        guard let session = unsafe X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let configuration = unsafe configuration(of: OpaquePointer(session)),
            let certificate = unsafe X509Certificate(borrowing: X509_STORE_CTX_get_current_cert(chain))
        else {
            unsafe X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION)
            return 0
        }
        let issuer = unsafe X509Certificate(
            borrowing: shim_sk_X509_value(X509_STORE_CTX_get0_chain(chain), 1))
        guard configuration.accepts(certificate, issuedBy: issuer ?? certificate) else {
            unsafe X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REVOKED)
            return 0
        }
        return 1
    }

    /// The server's first protocol that the client offers too.
    static let selectProtocol: SSL_CTX_alpn_select_cb_func = { session, chosen, length, offer, count, _ in
        guard let configuration = unsafe configuration(of: session), let offer = unsafe offer else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let offers = unsafe UnsafeBufferPointer(start: offer, count: Int(count))
        var own = 0
        while own < configuration.protocols.count {
            let size = Int(configuration.protocols[own])
            let name = configuration.protocols[(own + 1)..<(own + 1 + size)]
            var place = 0
            while place < offers.count, case let end = unsafe place + 1 + Int(offers[place]),
                end <= offers.count
            {
                if unsafe offers[(place + 1)..<end].elementsEqual(name) {
                    unsafe chosen?.pointee = offer + place + 1
                    unsafe length?.pointee = UInt8(size)
                    return SSL_TLSEXT_ERR_OK
                }
                place = end
            }
            own += 1 + size
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }

    /// Called for each record after the handshake. One of TLS 1.2 says in its head what it is; one of 1.3 always looks
    /// like data there, and tells when it is decrypted.
    static let message:
        @convention(c) (
            Int32, Int32, Int32, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?
        ) -> Void = { isOutput, _, part, bytes, count, session, _ in
            guard isOutput == 0, part == SSL3_RT_HEADER || part == SSL3_RT_INNER_CONTENT_TYPE, count > 0,
                unsafe bytes?.load(as: UInt8.self) == UInt8(SSL3_RT_HANDSHAKE),
                let channel = unsafe SSL_get_ex_data(session, 0)
            else { return }
            unsafe Unmanaged<TLSChannel>.fromOpaque(channel).takeUnretainedValue().noteLateRecord()
        }

    private static func configuration(of session: OpaquePointer?) -> TLSConfiguration? {
        guard let context = unsafe SSL_get_SSL_CTX(session),
            let pointer = unsafe SSL_CTX_get_ex_data(context, 0)
        else { return nil }
        return unsafe Unmanaged<TLSConfiguration>.fromOpaque(pointer).takeUnretainedValue()
    }
}
