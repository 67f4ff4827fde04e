// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP
internal import HTTP2
internal import Secrets
internal import Settings

extension CommandRun {
    /// The open part of the body that brings a key.
    struct BroughtKey: Encodable, Equatable {
        var name: String
        var description: String
        var visibility: String
        var key_type: String
        var attributes: [String: String]
        var certificate: String
    }

    /// What REST calls the uses of a leaf.
    private static let usages = ["module": "ko", "efi": "efi", "cms": "cms", "timestamp": "timestamp"]

    func importKey() async throws {
        let type = invocation.text("type") ?? ""
        let certificate = try invocation.text("certificate").map { path in
            String(decoding: try InputFile.read(path, limit: 1 << 16), as: UTF8.self)
        }
        let key = BroughtKey(
            name: invocation.argument("NAME") ?? "", description: invocation.text("description") ?? "",
            visibility: invocation.flag("private") ? "private" : "public",
            key_type: ["openpgp": "pgp", "ca": "x509ca"][type] ?? "x509ee",
            attributes: Self.usages[type].map { ["x509_ee_usage": $0] } ?? [:],
            certificate: certificate ?? "")
        var request = ClientRequest(
            .post, "/api/v1/keys/import",
            fields: ["content-type": "application/json", "accept": "application/json"])
        let passphrase = try invocation.text("passphrase-file").map {
            RequestSecret(try SecretBytes(contentsOf: $0, limit: 1024, lastNewline: .dropped))
        }
        let file = RequestSecret(
            try SecretBytes(contentsOf: invocation.argument("FILE") ?? "", limit: Self.largestKeyFile))
        request.secretBody = try Self.body(JSON.encode(key), file, passphrase)
        // Large numbers are looked at for a while.
        request.deadline = .seconds(120)
        let made = try await ask(desk(), json: request)
        if form == .text { print("keys", [made], columns: Self.keyColumns) } else { print("key", made) }
    }

    /// The server takes 64 KiB of body.
    private static let largestKeyFile = 40 << 10

    /// The document with its secret texts in front.
    static func body(
        _ open: [UInt8], _ file: RequestSecret, _ passphrase: RequestSecret?
    ) throws -> RequestSecret {
        let room = 2 * (file.bytes.count + (passphrase?.bytes.count ?? 0)) + open.count + 100
        return RequestSecret(
            try SecretBytes(capacity: room) { output in
                append("{\"private_key\":\"", &output)
                if isText(file.bytes) {
                    try appendText(file.bytes, &output)
                } else {
                    try appendBase64(file.bytes, &output)
                }
                if let passphrase {
                    append("\",\"passphrase\":\"", &output)
                    try appendText(passphrase.bytes, &output)
                }
                append("\",", &output)
                for byte in open.dropFirst() { output.append(byte) }
            })
    }

    private static func append(_ text: StaticString, _ output: inout OutputSpan<UInt8>) {
        for byte in "\(text)".utf8 { output.append(byte) }
    }

    /// PEM or armored.
    private static func isText(_ bytes: borrowing SecretBytes) -> Bool {
        let begin = Array("-----BEGIN".utf8)
        return bytes.count > begin.count && begin.indices.allSatisfy { bytes.bytes[$0] == begin[$0] }
    }

    private static func appendBase64(
        _ bytes: borrowing SecretBytes, _ output: inout OutputSpan<UInt8>
    ) throws {
        try Base64.standard.encode(bytes.bytes, into: &output)
    }

    private static func appendText(_ bytes: borrowing SecretBytes, _ output: inout OutputSpan<UInt8>) throws {
        for index in 0..<bytes.count {
            let byte = bytes.bytes[index]
            switch byte {
            case UInt8(ascii: "\n"): append("\\n", &output)
            case UInt8(ascii: "\r"): append("\\r", &output)
            case UInt8(ascii: "\""): append("\\\"", &output)
            case UInt8(ascii: "\\"): append("\\\\", &output)
            case 0..<0x20:
                throw ConsoleError(
                    .invalidArgument, "a key or passphrase with a control character in it",
                    remedy: "Give the file as gpg or openssl wrote it, and the passphrase as one line.")
            default: output.append(byte)
            }
        }
    }

    // MARK: Certificates for keys elsewhere

    struct WantedCertificate: Encodable, Equatable {
        var name: String
        var description: String
        var usage: String
        var request: String
        var expire_at: String
    }

    func issueCertificate() async throws {
        let desk = try desk()
        let path = invocation.argument("REQUEST") ?? ""
        let wanted = WantedCertificate(
            name: invocation.argument("NAME") ?? "", description: invocation.text("description") ?? "",
            usage: Self.usages[invocation.text("type") ?? ""] ?? "",
            request: String(decoding: try InputFile.read(path, limit: 1 << 16), as: UTF8.self),
            expire_at: expiry() ?? "")
        let authority = try await ask(
            desk, json: ClientRequest(.get, segments: ["api", "v1", "keys", invocation.text("ca") ?? ""]))
        let made = try await ask(
            desk, json: .json(.post, "/api/v1/keys/\(authority["id"].shown)/certificates", wanted))
        let id = made["id"].shown
        let body = try await ask(
            desk, ClientRequest(.get, segments: ["api", "v1", "keys", id, "certificate"])
        ).body
        if let file = invocation.text("out") {
            try OutputFile.write(body, to: file)
            confirm("\(file): the certificate of \(wanted.name)")
            if form != .text { print([("key", made), ("file", .text(file))]) }
        } else if form == .text {
            screen.out(ShownText.lines(String(decoding: body, as: UTF8.self)))
        } else {
            print([("key", made), ("certificate", .text(String(decoding: body, as: UTF8.self)))])
        }
    }

    func renewKeys() async throws {
        let desk = try desk()
        var renewed: [JSONValue] = []
        for key in invocation.arguments("KEY") {
            let found = try await ask(desk, json: ClientRequest(.get, segments: ["api", "v1", "keys", key]))
            let made = try await ask(
                desk,
                json: .json(
                    .post, "/api/v1/keys/\(found["id"].shown)/actions/renew", ["expire_at": expiry() ?? ""]))
            renewed.append(made)
        }
        print("keys", renewed, columns: Self.keyColumns)
    }
}
