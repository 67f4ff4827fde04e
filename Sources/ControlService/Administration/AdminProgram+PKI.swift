// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import MariaDB
internal import Settings
internal import Signatures

extension AdminProgram {
    /// With a folder on the command line no settings are needed, as on a machine that has nothing but the authority.
    private func folder(_ invocation: Invocation) throws -> AuthorityFolder {
        if let path = invocation.text("folder") { return AuthorityFolder(path) }
        return AuthorityFolder(try settings(invocation).authority)
    }

    private func life(_ invocation: Invocation) -> Duration {
        .seconds(Int64(invocation.integer("days") ?? 30) * 86_400)
    }

    func makeAuthority(_ invocation: Invocation) throws {
        let folder = try folder(invocation)
        try folder.create(
            name: invocation.text("name") ?? "Signet transport", at: clock(), life: life(invocation))
        let certificate = try folder.authority().certificate
        tell("\(folder.certificateFile)  SHA-256 \(Hex.encode(certificate.fingerprint.bytes))")
    }

    func issue(_ invocation: Invocation) throws {
        guard let role = invocation.text("role").flatMap({ TransportRole(rawValue: $0) }),
            let text = invocation.text("name")
        else { throw ControlError(.badArguments, "--role and --name are needed") }
        let folder = try folder(invocation)
        let name = try TransportName(role, text, hosts: invocation.texts("host"))
        let files = invocation.text("out") ?? "\(folder.path)/\(text)"
        let certificate = try folder.issue(
            name, at: clock(), life: life(invocation), files: files, replacing: invocation.flag("replace"))
        tell(
            "\(files).crt  \(name)  serial \(Hex.encode(certificate.serialNumber, .upper))  until \(certificate.notAfter)"
        )
    }

    func listCertificates(_ invocation: Invocation) throws {
        let now = clock()
        for issued in try folder(invocation).issued() {
            let state =
                issued.revoked != nil ? "revoked" : issued.isGood(at: now) ? "good" : "expired"
            tell(
                "\(issued.serial)  \(state)  until \(issued.certificate.notAfter)  \(issued.uri ?? "-")  "
                    + "SHA-256 \(Hex.encode(issued.certificate.fingerprint.bytes))")
        }
    }

    func renewList(_ invocation: Invocation) throws {
        let folder = try folder(invocation)
        try folder.renewRevocationList(at: clock())
        tell(folder.revocationFile)
    }

    /// The deny list first: it acts at once, and again does no harm.
    func revoke(_ invocation: Invocation) async throws {
        let folder = try folder(invocation)
        let chosen = try chosen(invocation, of: folder.issued())
        if !invocation.flag("without-database") {
            let plane = try await plane(invocation)
            for issued in chosen {
                try await plane.grants.deny(
                    .certificate(issued.certificate.fingerprint.bytes), by: Self.caller)
            }
            await plane.pool.close()
        }
        try folder.revoke(
            chosen, because: RevocationReasons.reason(invocation.text("reason") ?? "unspecified"), at: clock()
        )
        for issued in chosen { tell("revoked \(issued.serial)  \(issued.uri ?? "-")") }
    }

    private func chosen(_ invocation: Invocation, of all: [IssuedCertificate]) throws -> [IssuedCertificate] {
        let found: [IssuedCertificate]
        switch (invocation.text("serial"), invocation.text("role"), invocation.text("name")) {
        case (let serial?, nil, nil):
            // One that is revoked already may have to be denied once more.
            found = all.filter { $0.serial == serial.uppercased() }
        case (nil, let role?, let name?):
            let now = clock()
            found = all.filter { $0.uri == "signet://\(role)/\(name)" && $0.isGood(at: now) }
        default:
            throw ControlError(
                .badArguments, "pki revoke: name the certificate by --serial, or by --role and --name")
        }
        guard !found.isEmpty else {
            throw ControlError(
                .certificateNotFound, "nothing of that number, or role and name, is still good")
        }
        return found
    }
}
