// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP
internal import Keyring
internal import MariaDB
internal import Settings

/// Keys that are made on the server's own machine, without a token: the first ones, and those of a developer.
extension AdminProgram {
    /// A new key in the words of the REST API, so that it is judged as there.
    private struct Wanted: Encodable {
        var name: String
        var description = ""
        var key_type: String
        var attributes: [String: String]
        var parent_id: String?
        var expire_at: String

        /// `sort` is a word of `AdminCommands.sorts`.
        init(_ name: String, _ sort: String, _ algorithm: String, parent: String?, until end: Moment) {
            self.name = name
            parent_id = parent
            expire_at = Timestamp.text(end)
            attributes = AdminCommands.algorithms.first { $0.name == algorithm }?.attributes ?? [:]
            key_type =
                sort == "openpgp" ? "pgp" : sort == "ca" ? parent == nil ? "x509ca" : "x509ica" : "x509ee"
            if sort == "openpgp" { return }
            attributes["common_name"] = name
            if sort != "ca" { attributes["x509_ee_usage"] = sort == "module" ? "ko" : sort }
        }

        var order: KeyOrder {
            get throws { try JSON.decode(NewKeyDocument.self, from: JSON.encode(self)).order() }
        }
    }

    func generateKey(_ invocation: Invocation) async throws {
        let end = clock() + (invocation.duration("expires") ?? .seconds(730 * 86_400))
        var wanted = Wanted(
            invocation.argument("NAME") ?? "", invocation.text("type") ?? "",
            invocation.text("algorithm") ?? "",
            parent: invocation.text("parent"), until: end)
        wanted.description = invocation.text("description") ?? ""
        wanted.attributes["email"] = invocation.text("email")
        if let name = invocation.text("common-name") { wanted.attributes["common_name"] = name }
        let plane = try await plane(invocation)
        try await plane.ring.prepare(by: Self.caller, at: clock())
        try await make(wanted, enabled: invocation.flag("enable"), plane)
        await plane.pool.close()
    }

    /// One of each sort, enabled; those that are there already stay.
    func generateSet(_ invocation: Invocation) async throws {
        let prefix = invocation.text("prefix") ?? "dev"
        let algorithm = invocation.text("algorithm") ?? "rsa-2048"
        let now = clock()
        func wanted(_ sort: String, _ name: String? = nil, parent: String?, days: Int64) -> Wanted {
            Wanted(
                "\(prefix)-\(name ?? sort)", sort, algorithm, parent: parent.map { "\(prefix)-\($0)" },
                until: now + .seconds(days * 86_400))
        }
        var set = [
            wanted("ca", parent: nil, days: 3650), wanted("ca", "intermediate", parent: "ca", days: 1825),
        ]
        set += ["module", "efi", "cms", "timestamp"].map { wanted($0, parent: "intermediate", days: 730) }
        var packages = wanted("openpgp", "packages", parent: nil, days: 730)
        packages.attributes["email"] = "\(prefix)@localhost"
        let plane = try await plane(invocation)
        try await plane.ring.prepare(by: Self.caller, at: clock())
        for one in set + [packages] {
            guard try await plane.keys.isFree(KeyName(one.name), for: Self.caller) else {
                tell("\(one.name)  is there already")
                continue
            }
            try await make(one, enabled: true, plane)
        }
        await plane.pool.close()
    }

    private func make(_ wanted: Wanted, enabled: Bool, _ plane: ControlPlane) async throws {
        let made = try await plane.keys.generate(wanted.order, by: Self.caller)
        if enabled {
            _ = try await plane.keys.apply(.enable, to: made.record.id.description, by: Self.caller)
        }
        tell(
            "\(made.record.name)  \(made.record.id)  \(wanted.key_type)  "
                + "\(Hex.encode(made.record.fingerprint, .upper))  \(enabled ? "enabled" : "disabled")")
    }
}
