// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

extension PeerIdentity {
    /// What a verified certificate and its issuer say; `nil` when a name in it is not one that can be told apart by its
    /// text (a zero byte, or bytes that are not of its alphabet), or the certificate cannot be read.
    init?(_ certificate: X509Certificate, issuedBy issuer: X509Certificate) {
        var uris: [String] = []
        var dnsNames: [String] = []
        var found: Int32 = 0
        let list = unsafe OpaquePointer(
            X509_get_ext_d2i(certificate.pointer, NID_subject_alt_name, &found, nil))
        // Absent is fine; twice, or malformed, is not.
        guard unsafe list != nil || found == -1 else { return nil }
        defer { unsafe GENERAL_NAMES_free(list) }
        for index in 0..<max(0, unsafe shim_sk_GENERAL_NAME_num(list)) {
            guard let name = unsafe shim_sk_GENERAL_NAME_value(list, index) else { return nil }
            let sort = unsafe name.pointee.type
            guard sort == GEN_URI || sort == GEN_DNS else { continue }
            guard let text = unsafe Self.visible(X509Certificate.bytes(name.pointee.d.ia5)) else {
                return nil
            }
            if sort == GEN_URI { uris.append(text) } else { dnsNames.append(text) }
        }
        guard let commonNames = Self.commonNames(of: certificate),
            let notBefore = unsafe Self.seconds(X509_get0_notBefore(certificate.pointer)),
            let notAfter = unsafe Self.seconds(X509_get0_notAfter(certificate.pointer))
        else { return nil }
        authority = Authority(name: Self.subject(of: issuer), fingerprint: issuer.fingerprint)
        self.uris = uris
        self.dnsNames = dnsNames
        self.commonNames = commonNames
        fingerprint = certificate.fingerprint
        serial = certificate.serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// IA5 text of printable characters.
    private static func visible(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func commonNames(of certificate: X509Certificate) -> [String]? {
        let subject = unsafe X509_get_subject_name(certificate.pointer)
        var names: [String] = []
        var place: Int32 = -1
        while true {
            place = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, place)
            guard place >= 0 else { return names }
            let value = unsafe X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place))
            var utf8: UnsafeMutablePointer<UInt8>?
            let count = unsafe ASN1_STRING_to_UTF8(&utf8, value)
            guard count >= 0, let start = unsafe utf8 else { return nil }
            defer { unsafe CRYPTO_free(start, "", 0) }
            let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
            guard !bytes.isEmpty, !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }),
                let text = String(validating: bytes, as: UTF8.self)
            else { return nil }
            names.append(text)
        }
    }

    /// The subject's distinguished name as RFC 4514 writes it.
    private static func subject(of certificate: X509Certificate) -> String {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(output) }
        let flags = UInt(shim_XN_FLAG_RFC2253) & ~UInt(ASN1_STRFLGS_ESC_MSB)
        guard unsafe X509_NAME_print_ex(output, X509_get_subject_name(certificate.pointer), 0, flags) >= 0
        else {
            return ""
        }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 512)
        while true {
            let count = unsafe BIO_read(output, &part, Int32(part.count))
            guard count > 0 else { break }
            bytes += part.prefix(Int(count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return unsafe Int64(timegm(&parts))
    }
}
