// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// ControlService is the control plane: who may manage keys, what becomes of them, and the REST API over it; beside it
/// the certificates with which the programs know one another, and what an administrator does on the server's own machine.
///
/// The use-cases are plain values over the ports of Keyring (`KeyRegister`, `UserRegister`, `GrantRegister`,
/// `RecordRegister`): they take a `Caller`, judge his role, and change something together with its entry in the audit.
/// `ControlAPI` decodes and encodes for them. `TransportAuthority` issues certificates for TLS and knows no signing key.
/// `ControlSettings` is what `control-server` and `control-admin` read.
///
/// It refuses callers without a token for everything but public parts, what a role does not allow, weak algorithms, and
/// attributes that it does not know.
///
/// ```swift
/// let api = ControlAPI(keys: keys, users: users, grants: grants, records: records, clock: clock)
/// let server = Server(api.router)
/// ```
public struct ControlError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}
