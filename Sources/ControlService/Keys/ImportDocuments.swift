// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Secrets
internal import Signatures

/// What `POST /api/v1/keys/import` takes, in Signatrust's words. The private key and its passphrase come apart from it.
struct ImportedKeyDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable {
        case name, description, visibility, attributes, key_type, private_key, passphrase, public_key
        case certificate
    }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .name: .needed(.string(KeyName.shortest...KeyName.longest))
        case .description: .optional(.string(0...KeyRecord.longestSummary))
        case .visibility: .optional(.choice(of: Visibility.self), "public without it")
        case .attributes: .optional(.map(.string), "docs/reference/rest.md lists them")
        case .key_type: .needed(.choice(of: KeyType.self))
        case .private_key: .needed(.string, "PEM, armored OpenPGP, or PKCS#12 and the like in Base64")
        case .passphrase: .optional(.string, "of the private key; it may stand in attributes too")
        case .public_key: .optional(.string, "has to fit, where it is not empty")
        case .certificate: .optional(.string, "in PEM, for X.509")
        }
    }

    /// The texts that are secret.
    static let secrets: Set<String> = ["private_key", "passphrase"]

    let name: String
    let description: String
    let visibility: String
    let attributes: [String: String]
    let key_type: String
    let public_key: String
    let certificate: String

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        name = try fields.decode(String.self, forKey: .name)
        description = try fields.decodeIfPresent(String.self, forKey: .description) ?? ""
        visibility = try fields.decodeIfPresent(String.self, forKey: .visibility) ?? "public"
        attributes = try fields.decodeIfPresent([String: String].self, forKey: .attributes) ?? [:]
        key_type = try fields.decode(String.self, forKey: .key_type)
        _ = try fields.decode(String.self, forKey: .private_key)
        _ = try fields.decodeIfPresent(String.self, forKey: .passphrase)
        public_key = try fields.decodeIfPresent(String.self, forKey: .public_key) ?? ""
        certificate = try fields.decodeIfPresent(String.self, forKey: .certificate) ?? ""
    }

    func order(_ secrets: [String: RequestSecret]) throws -> ImportOrder {
        guard let type = KeyType(rawValue: key_type) else {
            throw ControlError(.invalidArgument, "key_type: one of \(KeyType.known)")
        }
        guard let privateKey = secrets["private_key"], privateKey.bytes.count > 0 else {
            throw ControlError(.invalidArgument, "private_key: it is missing")
        }
        // What the key itself says counts: Signatrust's scripts name these all the same.
        var rest = attributes
        for name in ["key_type", "key_length", "digest_algorithm", "expire_at", "passphrase"] {
            rest.removeValue(forKey: name)
        }
        var attributes = KeyAttributes(rest)
        let sort: ImportOrder.Sort =
            switch type {
            case .pgp: .openpgp
            case .x509ca, .x509ica: .authority
            case .x509ee: .signer(try attributes.usage())
            }
        try attributes.expectNoMore()
        let passphrase = secrets["passphrase"].flatMap { $0.bytes.count > 0 ? $0 : nil }
        return ImportOrder(
            name: try KeyName(name), isPrivate: try Visibility.named(visibility) == .private,
            summary: description, sort: sort, privateKey: privateKey, passphrase: passphrase,
            publicKey: public_key, certificate: certificate)
    }
}

/// What `POST /api/v1/keys/{key}/certificates` takes.
struct CertificateRequestDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable {
        case name, description, usage, request, expire_at
    }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .name: .needed(.string(KeyName.shortest...KeyName.longest))
        case .description: .optional(.string(0...KeyRecord.longestSummary))
        case .usage: .needed(.choice(KeyAttributes.usages.keys.sorted()))
        case .request: .needed(.string, "a certificate request (PKCS#10) in PEM")
        case .expire_at: .needed(.timestamp)
        }
    }

    let name: String
    let description: String
    let usage: String
    let request: String
    let expires: Moment

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        name = try fields.decode(String.self, forKey: .name)
        description = try fields.decodeIfPresent(String.self, forKey: .description) ?? ""
        usage = try fields.decode(String.self, forKey: .usage)
        request = try fields.decode(String.self, forKey: .request)
        expires = try Timestamp.read(fields.decode(String.self, forKey: .expire_at), "expire_at")
    }

    func order() throws -> CertificateOrder {
        let name = try KeyName(name)
        guard name.owner == nil else {
            throw ControlError(.invalidArgument, "name: without \":\"")
        }
        guard let scheme = KeyAttributes.usages[usage] else {
            throw ControlError(
                .invalidArgument,
                "usage: one of \(KeyAttributes.usages.keys.sorted().joined(separator: ", "))")
        }
        do {
            return CertificateOrder(
                name: name, summary: description, request: try CertificateRequest(pem: request),
                scheme: scheme, expires: expires)
        } catch let error as SignaturesError {
            throw ControlError(.invalidArgument, "request: \(error.message)")
        }
    }
}

/// What `POST /api/v1/keys/{key}/actions/renew` takes.
struct RenewalDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable { case expire_at }

    static func form(of field: Fields) -> FieldForm { .needed(.timestamp, "the new end") }

    let expires: Moment

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        expires = try Timestamp.read(fields.decode(String.self, forKey: .expire_at), "expire_at")
    }
}
