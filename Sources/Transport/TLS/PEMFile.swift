// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Cryptography
internal import Diagnostics
internal import Glibc
internal import Secrets

extension TLSSettings.PEM {
    /// What messages call it.
    var name: String {
        switch self {
        case .file(let path): path
        case .text: "PEM text"
        }
    }
}

/// Certificates or revocation lists in PEM.
struct PEMFile {
    private let name: String
    private let bytes: [UInt8]
    private static let largest = 16 << 20

    init(_ source: TLSSettings.PEM) throws(TransportError) {
        name = source.name
        switch source {
        case .text(let text): bytes = Array(text.utf8)
        case .file(let path): bytes = try Self.read(path)
        }
    }

    /// All certificates, in their order.
    func certificates() throws(TransportError) -> [X509Certificate] {
        var list: [X509Certificate] = []
        try unsafe parse { input in
            guard let pointer = unsafe PEM_read_bio_X509(input, nil, nil, nil) else { return false }
            list.append(unsafe X509Certificate(owning: pointer))
            return true
        }
        return list
    }

    func revocationLists() throws(TransportError) -> [X509RevocationList] {
        var list: [X509RevocationList] = []
        try unsafe parse { input in
            guard let pointer = unsafe PEM_read_bio_X509_CRL(input, nil, nil, nil) else { return false }
            list.append(unsafe X509RevocationList(owning: pointer))
            return true
        }
        return list
    }

    /// Calls until nothing is left. An end that is no plain end is an error.
    private func parse(_ next: (OpaquePointer) -> Bool) throws(TransportError) {
        ERR_clear_error()
        guard let input = unsafe BIO_new_mem_buf(bytes, Int32(bytes.count)) else {
            throw .openSSL("BIO_new_mem_buf")
        }
        defer { unsafe BIO_free(input) }
        while unsafe next(input) {}
        let error = ERR_peek_last_error()
        guard ERR_GET_LIB(error) == ERR_LIB_PEM, ERR_GET_REASON(error) == PEM_R_NO_START_LINE else {
            throw .openSSL("\(name): not PEM as expected")
        }
        ERR_clear_error()
    }

    private static func read(_ path: String) throws(TransportError) -> [UInt8] {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            throw TransportError(.materialMissing, "\(path): \(TransportError.text(of: errno))")
        }
        let file = Descriptor(owning: number)
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe Glibc.read(file.number, &part, part.count)
            guard count >= 0, bytes.count <= largest else {
                throw TransportError(.materialInvalid, "\(path): cannot be read, or is larger than 16 MiB")
            }
            guard count > 0 else { return bytes }
            bytes += part.prefix(count)
        }
    }
}
