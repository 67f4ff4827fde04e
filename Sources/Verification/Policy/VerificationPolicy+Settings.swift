// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Settings
internal import Signatures

extension VerificationPolicy {
    /// Reads a policy; `docs/reference/verification-policy.md` has its grammar. `read` reads the files of keys that it
    /// names, which it looks for in its own folder.
    ///
    /// It refuses unknown and repeated fields, rules that trust nobody or can never apply, names and values that stand
    /// twice, and files of keys that hold none: each with line and column, all at once.
    public init(_ file: SettingsFile, reading read: (String) throws -> [UInt8]) throws {
        let sources = SettingsSources(files: [file])
        self = try sources.read { root in
            _ = root.required("version", .integer(in: 1...1))
            let required = root.value("signatures", .integer(in: 1...16), default: 1)
            let rules = root.list("trust")
            if rules.isEmpty { root.refuse("trust", because: "trusts nobody; add a [[trust]] with `keys`") }
            if rules.count > 100 { root.refuse("trust", because: "has more than 100 rules; join some") }
            var names: Set<String> = []
            let decoded = rules.prefix(100).map { RuleText($0, &names).rule(read) }
            return VerificationPolicy(decoded, required: required)
        }.value
    }
}

/// A rule as it is written.
private struct RuleText {
    let section: SettingsReader
    let name: String
    /// Each nil when it is not there, and empty when it is refused.
    let keys: [String]?
    let authorities: [String]?
    let revocationLists: [String]?
    let kinds: [SigningKind]?
    let files: [NamePattern]?
    let packages: [NamePattern]?

    init(_ section: SettingsReader, _ names: inout Set<String>) {
        self.section = section
        name = section.required("name", .ruleName)
        keys = Self.list("keys", .path, section)
        authorities = Self.list("authorities", .path, section)
        revocationLists = Self.list("revocation_lists", .path, section)
        kinds = Self.list("kinds", .kind, section)
        files = Self.list("files", .pattern, section)
        packages = Self.list("packages", .pattern, section)

        if !name.isEmpty, !names.insert(name).inserted {
            section.refuse("name", because: "is another rule's already; give each its own")
        }
        if keys == nil, authorities == nil {
            section.refuse("keys", because: "is missing, so the rule trusts nobody; name files of keys")
        }
        if revocationLists != nil, authorities == nil {
            section.refuse("revocation_lists", because: "is of no use without `authorities`; add them")
        }
        if packages != nil, let kinds, !kinds.isEmpty, !kinds.contains(.rpm) {
            section.refuse("packages", because: "never matches, since `kinds` leaves out rpm; add it")
        }
    }

    private static func list<Element: Hashable & Sendable>(
        _ field: String, _ kind: SettingKind<Element>, _ section: SettingsReader
    ) -> [Element]? {
        let values = section.optional(field, .list(of: kind, count: 1...100))
        if let values, Set(values).count < values.count {
            section.refuse(field, because: "has something twice; leave one out")
        }
        return values
    }

    /// The rule with its keys read.
    func rule(_ read: (String) throws -> [UInt8]) -> VerificationPolicy.Rule {
        var trusted = TrustedKeys()
        take("keys", keys, read) { try trusted.add(contentsOf: $0.span, name: $1) }
        take("authorities", authorities, read) { try trusted.add(authorities: $0.span, name: $1) }
        take("revocation_lists", revocationLists, read) {
            try trusted.add(revocationLists: $0.span, name: $1)
        }
        let usable = SigningKind.allCases.filter { trusted.canSign($0) }
        if let kinds, !kinds.isEmpty, !trusted.isEmpty {
            for kind in kinds where !usable.contains(kind) {
                section.refuse(
                    "kinds",
                    because: "has \(kind.rawValue), which none of the rule's keys can sign; leave it out")
            }
        }
        return VerificationPolicy.Rule(
            name: name, keys: trusted, kinds: Set(kinds ?? usable), files: files ?? [.all],
            packages: packages ?? [])
    }

    private func take(
        _ field: String, _ paths: [String]?, _ read: (String) throws -> [UInt8],
        _ take: ([UInt8], String) throws -> Void
    ) {
        for path in paths ?? [] {
            do {
                try take(try read(path), path)
            } catch {
                let reason = (error as? any CodedError)?.message ?? "\(path) could not be read"
                section.refuse(field, because: "cannot be used: \(reason)")
            }
        }
    }
}

extension TrustedKeys {
    /// Whether some of these keys can be those of such a file's signatures.
    fileprivate func canSign(_ kind: SigningKind) -> Bool {
        switch kind.scheme {
        case .openpgp: !openPGP.isEmpty
        case .module: !certificates.isEmpty
        case .authenticode, .cms, .timestamp, .ca: !certificates.isEmpty || !authorities.isEmpty
        }
    }
}

extension SettingKind<String> {
    fileprivate static var ruleName: SettingKind {
        .text("a name of 1 to 100 characters", placeholder: "", show: { $0 }) {
            (1...100).contains($0.count) ? $0 : nil
        }
    }
}

extension SettingKind<SigningKind> {
    fileprivate static var kind: SettingKind {
        .text(
            "one of " + SigningKind.ofFiles.map(\.rawValue).joined(separator: ", "), placeholder: .rpm,
            show: { $0.rawValue }, parse: { word in SigningKind.ofFiles.first { $0.rawValue == word } })
    }
}

extension SettingKind<NamePattern> {
    fileprivate static var pattern: SettingKind {
        .text(
            "a pattern of names: characters, * and ?, without / [ ] { } \\", placeholder: .all,
            show: { $0.description }, parse: { NamePattern($0) })
    }
}
