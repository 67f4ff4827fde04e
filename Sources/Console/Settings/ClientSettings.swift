// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Settings
public import Transport

/// The settings of the client, as `config/client.toml` tells them line by line.
public struct ClientSettings: Sendable {
    /// The data-servers, which know their clients by certificates.
    public struct DataServers: Sendable {
        public var endpoints: [Endpoint]
        /// PEM of the authorities that their certificates may come from.
        public var authorities: String
        public var certificate: String
        public var key: String

        public var tls: TLSSettings {
            var tls = TLSSettings.client(
                trust: .authorities(.file(authorities)), certificates: .file(certificate),
                key: .file(key))
            tls.applicationProtocols = ["h2"]
            return tls
        }
    }

    /// The control-server, which knows its users by tokens.
    public struct ControlServer: Sendable {
        public var endpoint: Endpoint
        /// What its certificate must be for, if not the host of its address.
        public var name: String?
        public var authorities: String
        /// The file that holds the token.
        public var tokenFile: String?

        public var tls: TLSSettings {
            var tls = TLSSettings.client(trust: .authorities(.file(authorities)))
            tls.applicationProtocols = ["http/1.1"]
            return tls
        }
    }

    /// How `signet sign` works.
    public struct Signing: Sendable {
        /// Jobs in flight over all servers.
        public var jobs: Int
        /// For one try of one file.
        public var timeout: Duration
        /// How long a file is tried while servers are away.
        public var retryFor: Duration
    }

    /// Nil when none is named.
    public var dataServers: DataServers?
    public var controlServer: ControlServer?
    public var signing: Signing

    /// Reads all settings, and tells all that is wrong with them at once.
    public static func read(_ sources: SettingsSources) throws(SettingsError) -> (
        settings: ClientSettings, report: SettingsReport
    ) {
        let (settings, report) = try sources.read { root in Self(root) }
        return (settings, report)
    }

    private init(_ root: SettingsReader) {
        let sign = root.section("sign")
        signing = Signing(
            jobs: sign.value("jobs", .integer(in: 1...4096), default: 128),
            timeout: sign.value(
                "timeout", .duration(in: .milliseconds(100) ... .seconds(3600)), default: .seconds(30)),
            retryFor: sign.value(
                "retry_for", .duration(in: .seconds(1) ... .seconds(86400)), default: .seconds(300)))
        let servers = root.section("server")
        if root.optionalSection("server") != nil {
            let addresses = servers.required("addresses", .list(of: .string, count: 1...64))
            dataServers = DataServers(
                endpoints: addresses.compactMap { Self.endpoint($0, "addresses", in: servers) },
                authorities: servers.required("ca_root", .path),
                certificate: servers.required("tls_cert", .path),
                key: servers.required("tls_key", .path))
        }
        let control = root.section("control-server")
        if root.optionalSection("control-server") != nil {
            let address = control.required("address", .string)
            let name = control.optional("domain_name", .string)
            let authorities = control.required("ca_root", .path)
            let tokenFile = control.optional("token_file", .path)
            if let endpoint = Self.endpoint(address, "address", in: control) {
                controlServer = ControlServer(
                    endpoint: endpoint, name: name, authorities: authorities, tokenFile: tokenFile)
            }
        }
    }

    private static func endpoint(_ text: String, _ name: String, in section: SettingsReader) -> Endpoint? {
        if let endpoint = EndpointText.parse(text) { return endpoint }
        // A missing setting has been told of already.
        if !text.isEmpty {
            section.refuse(
                name,
                because: "holds an address that cannot be read; write HOST:PORT, [IPv6]:PORT or unix:PATH")
        }
        return nil
    }
}

extension ClientSettings {
    /// Where the settings are: `--config` alone if given, else the system's file and over it the user's.
    static func files(_ option: String?, _ environment: [String: String]) throws -> [SettingsFile] {
        if let option {
            guard let file = try SettingsFile.load(option) else {
                throw ConsoleError(
                    .settingsUnreadable, "\(option): there is no such file",
                    remedy: "Name the file with --config, or make one after config/client.toml.")
            }
            return [file]
        }
        return try paths(environment).compactMap { try SettingsFile.load($0) }
    }

    /// The weakest first.
    static func paths(_ environment: [String: String]) -> [String] {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let home = given("XDG_CONFIG_HOME") ?? given("HOME").map { $0 + "/.config" }
        return ["/etc/signet/client.toml"] + (home.map { [$0 + "/signet/client.toml"] } ?? [])
    }
}
