// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import COpenSSL
internal import Diagnostics

/// An `X509`.
enum CertificateObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe X509_free(object) }
}

/// An `X509_CRL`.
enum RevocationListObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe X509_CRL_free(object) }
}

/// A `STACK_OF(X509)` that owns what is on it.
enum CertificateStackObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe shim_sk_X509_pop_free(object) }
}

/// An `X509_STORE`.
enum StoreObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe X509_STORE_free(object) }
}

/// An `X509_STORE_CTX`.
enum VerificationObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe X509_STORE_CTX_free(object) }
}

extension UnverifiedChain {
    /// Checks the chain by RFC 5280, strictly, or throws a `ChainRefusal`.
    public func validated(by policy: ChainPolicy) throws -> ValidatedChain {
        guard intermediates.count <= Self.longest else {
            throw ChainRefusal(
                .pathTooLong, depth: 0, subject: "\(leaf.subject)",
                detail: "\(intermediates.count) intermediate certificates were given")
        }
        do {
            return try validated(over: intermediates, policy)
        } catch let refusal as ChainRefusal {
            // OpenSSL takes the first issuer that fits and never goes back, so another path may still be good.
            for path in paths(to: policy.roots) {
                if let chain = try? validated(over: path, policy) { return chain }
            }
            throw refusal
        }
    }

    /// Whether the names in the certificates lead to one of these roots, whatever else is wrong: a chain that does not is
    /// a stranger's.
    public func leads(to roots: [Certificate]) -> Bool { !paths(to: roots).isEmpty }

    /// The ways from the leaf to a root by the names in the certificates, at most 16; each without the two ends.
    func paths(to roots: [Certificate]) -> [[Certificate]] {
        var found: [[Certificate]] = []
        var open: [[Certificate]] = [[]]
        // A hostile set of certificates may have more ways than there is time.
        for _ in 0..<256 where !open.isEmpty && found.count < 16 {
            let path = open.removeFirst()
            let end = path.last ?? leaf
            if roots.contains(where: { $0.subject == end.issuer }) { found.append(path) }
            guard path.count < 8 else { continue }
            for next in intermediates where next.subject == end.issuer && !path.contains(next) {
                open.append(path + [next])
            }
        }
        return found
    }

    private func validated(over others: [Certificate], _ policy: ChainPolicy) throws -> ValidatedChain {
        let store = try policy.store()
        let leafObject = try leaf.object()
        let untrusted = unsafe try OpenSSLPointer<CertificateStackObject>(
            shim_sk_X509_new_null(), "sk_X509_new_null")
        for other in others {
            let object = unsafe try other.object().release()
            guard unsafe shim_sk_X509_push(untrusted.pointer, object) > 0 else {
                unsafe X509_free(object)
                throw OpenSSLError(draining: "sk_X509_push")
            }
        }
        let verification = unsafe try OpenSSLPointer<VerificationObject>(
            X509_STORE_CTX_new(), "X509_STORE_CTX_new")
        unsafe try check(
            X509_STORE_CTX_init(verification.pointer, store.pointer, leafObject.pointer, untrusted.pointer),
            "X509_STORE_CTX_init")
        let verdict = unsafe X509_verify_cert(verification.pointer)
        let problem = unsafe X509_STORE_CTX_get_error(verification.pointer)
        dropErrors()
        guard verdict == 1, problem == X509_V_OK else { throw refusal(verification, problem) }
        let chain = unsafe try Self.certificates(X509_STORE_CTX_get0_chain(verification.pointer))
        guard chain.first == leaf, let root = chain.last, policy.roots.contains(root) else {
            throw OpenSSLError(draining: "X509_verify_cert")
        }
        if policy.purpose == .codeSigning { try Self.checkCodeSigning(chain) }
        return ValidatedChain(chain, policy)
    }

    /// More than any chain has; each one costs a signature check at worst.
    static let longest = 16

    private func refusal(
        _ verification: borrowing OpenSSLPointer<VerificationObject>, _ problem: Int32
    ) -> ChainRefusal {
        let depth = unsafe Int(X509_STORE_CTX_get_error_depth(verification.pointer))
        let detail = unsafe X509_verify_cert_error_string(Int(problem)).map { unsafe String(cString: $0) }
        let object = unsafe X509_STORE_CTX_get_current_cert(verification.pointer)
        let certificate = unsafe object.flatMap { unsafe try? Certificate(object: $0) }
        return ChainRefusal(
            ChainRefusal.Reason(verification: problem), depth: depth,
            subject: "\(certificate?.subject ?? leaf.subject)", detail: detail ?? "error \(problem)")
    }

    private static func certificates(_ stack: OpaquePointer?) throws -> [Certificate] {
        var chain: [Certificate] = []
        for index in 0..<max(0, unsafe shim_sk_X509_num(stack)) {
            let object = unsafe try check(shim_sk_X509_value(stack, index), "sk_X509_value")
            chain.append(unsafe try Certificate(object: object))
        }
        return chain
    }

    /// OpenSSL 3.0 knows no such purpose. The leaf has to name it; an issuer that names any has to name it too.
    private static func checkCodeSigning(_ chain: [Certificate]) throws {
        for (depth, certificate) in chain.enumerated() {
            let uses = certificate.extendedKeyUsage
            let isNamed = uses?.contains("1.3.6.1.5.5.7.3.3") ?? (depth > 0)
            let isAny = depth > 0 && uses?.contains("2.5.29.37.0") == true
            let maySign = depth > 0 || certificate.keyUsage?.contains(.digitalSignature) ?? true
            guard isNamed || isAny, maySign else {
                throw ChainRefusal(
                    .wrongPurpose, depth: depth, subject: "\(certificate.subject)",
                    detail: "not for code signing")
            }
        }
    }
}

extension ChainPolicy {
    fileprivate func store() throws -> OpenSSLPointer<StoreObject> {
        let store = unsafe try OpenSSLPointer<StoreObject>(X509_STORE_new(), "X509_STORE_new")
        for root in roots {
            let object = try root.object()
            // The store takes a reference of its own.
            unsafe try check(X509_STORE_add_cert(store.pointer, object.pointer), "X509_STORE_add_cert")
        }
        for list in revocationLists ?? [] {
            let object = try list.object()
            unsafe try check(X509_STORE_add_crl(store.pointer, object.pointer), "X509_STORE_add_crl")
        }
        let parameters = unsafe X509_STORE_get0_param(store.pointer)
        var flags = UInt(X509_V_FLAG_X509_STRICT)
        if revocationLists != nil { flags |= UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) }
        unsafe try check(X509_VERIFY_PARAM_set_flags(parameters, flags), "X509_VERIFY_PARAM_set_flags")
        unsafe try check(
            X509_VERIFY_PARAM_set_purpose(parameters, purpose.number), "X509_VERIFY_PARAM_set_purpose")
        unsafe X509_VERIFY_PARAM_set_time(parameters, Int(time.secondsSince1970))
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, 2)
        unsafe X509_VERIFY_PARAM_set_depth(parameters, Int32(UnverifiedChain.longest))
        return store
    }
}

extension ChainPurpose {
    fileprivate var number: Int32 {
        switch self {
        case .server: X509_PURPOSE_SSL_SERVER
        case .client: X509_PURPOSE_SSL_CLIENT
        case .timestamping: X509_PURPOSE_TIMESTAMP_SIGN
        case .codeSigning, .any: X509_PURPOSE_ANY
        }
    }
}

extension Certificate {
    /// The library's form of it. Its parser reads the same bytes to their end.
    func object() throws -> OpenSSLPointer<CertificateObject> {
        var (object, count): (OpaquePointer?, Int) = (nil, 0)
        // The buffer is read by the call alone.
        unsafe der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            unsafe object = d2i_X509(nil, &next, buffer.count)
            count = unsafe next.map { unsafe $0 - (buffer.baseAddress ?? $0) } ?? 0
        }
        let owner = unsafe try OpenSSLPointer<CertificateObject>(object, "d2i_X509")
        guard count == der.count else { throw OpenSSLError(draining: "d2i_X509") }
        return owner
    }

    /// From one that the library holds.
    fileprivate init(object: OpaquePointer) throws {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe try checkPositive(i2d_X509(object, &encoded), "i2d_X509")
        defer { unsafe CRYPTO_free(encoded, "", 0) }
        let bytes = unsafe UnsafeBufferPointer(start: encoded, count: count)
        try self.init(der: unsafe Array(bytes).span)
    }
}
