// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import Signatures

/// What `POST /api/v1/keys/` takes, in Signatrust's words.
struct NewKeyDocument: StrictDocument {
    enum Fields: String, CodingKey, CaseIterable {
        case name, description, visibility, attributes, key_type, parent_id, expire_at, guarded
    }

    static func form(of field: Fields) -> FieldForm {
        switch field {
        case .name: .needed(.string(KeyName.shortest...KeyName.longest))
        case .description: .optional(.string(0...KeyRecord.longestSummary))
        case .visibility: .optional(.choice(of: Visibility.self), "public without it")
        case .attributes: .optional(.map(.string), "docs/reference/rest.md lists them")
        case .key_type: .needed(.choice(of: KeyType.self))
        case .parent_id: .optional(.string, "id or name of the authority, for x509ica and x509ee")
        case .expire_at: .needed(.timestamp)
        case .guarded: .optional(.boolean, "whether enabling it and grants that name it take approvals")
        }
    }

    let name: String
    let description: String
    let visibility: String
    let attributes: [String: String]
    let key_type: String
    let parent_id: String?
    let expires: Moment
    let guarded: Bool

    init(_ fields: KeyedDecodingContainer<Fields>) throws {
        name = try fields.decode(String.self, forKey: .name)
        description = try fields.decodeIfPresent(String.self, forKey: .description) ?? ""
        visibility = try fields.decodeIfPresent(String.self, forKey: .visibility) ?? "public"
        attributes = try fields.decodeIfPresent([String: String].self, forKey: .attributes) ?? [:]
        key_type = try fields.decode(String.self, forKey: .key_type)
        parent_id = try fields.decodeIfPresent(String.self, forKey: .parent_id)
        expires = try Timestamp.read(fields.decode(String.self, forKey: .expire_at), "expire_at")
        guarded = try fields.decodeIfPresent(Bool.self, forKey: .guarded) ?? false
    }

    func order() throws -> KeyOrder {
        let isPrivate = try Visibility.named(visibility) == .private
        guard let type = KeyType(rawValue: key_type) else {
            throw ControlError(.invalidArgument, "key_type: one of \(KeyType.known)")
        }
        var attributes = KeyAttributes(attributes)
        let (algorithm, digest) = try (attributes.algorithm(type), attributes.digest())
        let sort = try sort(type, &attributes)
        try attributes.expectNoMore()
        guard !isPrivate || !guarded else {
            throw ControlError(
                .invalidArgument, "guarded: a private key is its owner's alone, and nobody else approves")
        }
        var order = try KeyOrder(
            name: KeyName(name), isPrivate: isPrivate, summary: description, algorithm: algorithm,
            digest: digest,
            expires: expires, sort: sort)
        order.isGuarded = guarded
        return order
    }

    private func sort(_ type: KeyType, _ attributes: inout KeyAttributes) throws -> KeyOrder.Sort {
        guard type.hasParent == (parent_id != nil) else {
            throw ControlError(
                .invalidArgument,
                type.hasParent
                    ? "parent_id: the authority that certifies this key is missing"
                    : "parent_id: a key of the type \(type.rawValue) has none; leave it out")
        }
        switch (type, parent_id) {
        case (.x509ica, let parent?): return .intermediate(try attributes.subject(), parent: parent)
        case (.x509ee, let parent?):
            let scheme = try attributes.usage()
            return .signer(try attributes.subject(), parent: parent, scheme)
        case (.x509ca, _): return .authority(try attributes.subject())
        default:
            return .openpgp(
                userID: try attributes.userID(name), signingSubkey: try attributes.signingSubkey())
        }
    }
}

/// Who sees a key: everybody, or its owner.
enum Visibility: String, CaseIterable {
    case `public`
    case `private`

    static func named(_ text: String) throws(ControlError) -> Visibility {
        guard let visibility = Visibility(rawValue: text) else {
            throw ControlError(.invalidArgument, "visibility: \"public\" or \"private\"")
        }
        return visibility
    }
}

/// What Signatrust calls the sorts of keys.
enum KeyType: String, CaseIterable {
    case pgp
    case x509ca
    case x509ica
    case x509ee

    var hasParent: Bool { self == .x509ica || self == .x509ee }

    static var known: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// The attributes of a new key. Each is taken once; what is left over is not known.
struct KeyAttributes {
    private var rest: [String: String]

    init(_ all: [String: String]) { rest = all }

    mutating func algorithm(_ type: KeyType) throws(ControlError) -> KeyAlgorithm {
        let family = rest.removeValue(forKey: "key_type") ?? "rsa"
        let length = rest.removeValue(forKey: "key_length")
        let choices: [String: KeyAlgorithm]
        switch family {
        case "rsa": choices = ["2048": .rsa2048, "3072": .rsa3072, "4096": .rsa4096, "": .rsa3072]
        case "ecdsa": choices = ["256": .p256, "384": .p384, "": .p256]
        case "eddsa" where type == .pgp: choices = ["256": .ed25519, "": .ed25519]
        default:
            throw ControlError(
                .invalidArgument,
                "attributes.key_type: \(type == .pgp ? "rsa, ecdsa or eddsa" : "rsa or ecdsa")")
        }
        guard let algorithm = choices[length ?? ""], length != "" else {
            throw ControlError(
                .invalidArgument,
                "attributes.key_length: of \(family) \(choices.keys.filter { $0 != "" }.sorted().joined(separator: ", "))"
            )
        }
        return algorithm
    }

    mutating func digest() throws(ControlError) -> DigestAlgorithm? {
        switch rest.removeValue(forKey: "digest_algorithm") {
        case nil: return nil
        case "sha2_256": return .sha256
        case "sha2_384": return .sha384
        case "sha2_512": return .sha512
        default:
            throw ControlError(
                .invalidArgument,
                "attributes.digest_algorithm: sha2_256, sha2_384 or sha2_512; weaker ones are not used any more"
            )
        }
    }

    /// `name <email>`. What an address looks like is not judged: build farms use `user#project@copr.example`.
    mutating func userID(_ name: String) throws(ControlError) -> String {
        // It never protected anything: the private half is sealed, with or without.
        guard rest.removeValue(forKey: "passphrase") ?? "" == "" else {
            throw ControlError(
                .unsupported, "attributes.passphrase: keys have none here, since they leave only sealed")
        }
        guard !name.contains("<"), !name.contains(">") else {
            throw ControlError(
                .invalidArgument, "name: without \"<\" and \">\", which set off the address in the user id")
        }
        guard let email = rest.removeValue(forKey: "email"), (2...100).contains(email.utf8.count),
            email.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f && $0 != "<" && $0 != ">" })
        else {
            throw ControlError(
                .invalidArgument, "attributes.email: 2 to 100 bytes without spaces, \"<\" and \">\"")
        }
        return "\(name) <\(email)>"
    }

    /// False without it: who verifies with software of before 2017 may not know subkeys that sign.
    mutating func signingSubkey() throws(ControlError) -> Bool {
        switch rest.removeValue(forKey: "signing_subkey") {
        case nil, "false": return false
        case "true": return true
        default: throw ControlError(.invalidArgument, "attributes.signing_subkey: \"true\" or \"false\"")
        }
    }

    /// What Signatrust calls the uses of a leaf.
    static let usages: [String: SigningScheme] = [
        "ko": .module, "efi": .authenticode, "cms": .cms, "timestamp": .timestamp,
    ]

    mutating func usage() throws(ControlError) -> SigningScheme {
        guard let usage = Self.usages[rest.removeValue(forKey: "x509_ee_usage") ?? ""] else {
            throw ControlError(
                .invalidArgument,
                "attributes.x509_ee_usage: one of \(Self.usages.keys.sorted().joined(separator: ", "))")
        }
        return usage
    }

    mutating func subject() throws -> DistinguishedName {
        guard rest["common_name"] != nil else {
            throw ControlError(.invalidArgument, "attributes.common_name: it is missing")
        }
        var parts: [(type: OID, text: String)] = []
        for (name, type) in Self.subjectParts {
            if let text = rest.removeValue(forKey: name) { parts.append((type, text)) }
        }
        do {
            return try DistinguishedName(parts)
        } catch let error as CryptographyError {
            throw ControlError(.invalidArgument, "attributes: \(error.message)")
        }
    }

    /// In the order of the encoding.
    private static let subjectParts: [(name: String, type: OID)] = [
        ("country_name", DistinguishedName.country), ("province_name", DistinguishedName.province),
        ("locality", DistinguishedName.locality), ("organization", DistinguishedName.organization),
        ("organizational_unit", DistinguishedName.organizationalUnit),
        ("common_name", DistinguishedName.commonName),
    ]

    func expectNoMore() throws(ControlError) {
        guard let unknown = rest.keys.sorted().first else { return }
        throw ControlError(
            .invalidArgument,
            "attributes: \"\(unknown.prefix(40))\" is not known, or not for this type of key")
    }
}
