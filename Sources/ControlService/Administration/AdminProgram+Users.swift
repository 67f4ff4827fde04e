// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import MariaDB
internal import Secrets
internal import Settings
internal import Storage

/// Users, made by whoever may start programs on the server's machine: nobody has to approve them.
extension AdminProgram {
    func addUser(_ invocation: Invocation) async throws {
        let (name, role) = try Self.user(invocation)
        guard let file = invocation.text("token-file") else {
            throw ControlError(.badArguments, "--token-file is needed")
        }
        // Before the token is made, since nobody could read it afterwards.
        guard !PublicFile.exists(file) else {
            throw ControlError(.fileNotWritten, "\(file): exists already; name a new file for the token")
        }
        let plane = try await plane(invocation)
        let user = try await plane.users.make(name, role, by: Self.caller)
        let made = try await plane.users.addToken(
            of: user.id, summary: "made on the server's machine", by: Self.caller)
        try made.text.write(toNewFile: file, addingNewline: true)
        await plane.pool.close()
        tell("\(role.rawValue) \(name), token in \(file) until \(Timestamp.text(made.token.expires))")
    }

    func changeUser(_ invocation: Invocation) async throws {
        let (name, role) = try Self.user(invocation)
        let plane = try await plane(invocation)
        guard let user = try await plane.storage.user(named: name) else {
            throw ControlError(.userNotFound, "there is no user \(name)")
        }
        _ = try await plane.users.change(user.id, role: role, isDisabled: false, by: Self.caller)
        await plane.pool.close()
        tell("\(name) is \(role.rawValue)")
    }

    private static func user(_ invocation: Invocation) throws -> (String, Role) {
        guard let name = invocation.text("name"),
            let role = invocation.text("role").flatMap({ Role(rawValue: $0) })
        else { throw ControlError(.badArguments, "--name and --role are needed") }
        return (name, role)
    }
}
