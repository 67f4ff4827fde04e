// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Keyring says what keys, clients, grants, users and records are, which steps are legal, and what may sign when.
///
/// `KeyRecord` is a key without its private half; `KeyState` and `KeyAction` are one table of its life. A `Gate` judges
/// client, grant, key and kind of file, and gives out a `SignPermit`, which signing uses up: without one nothing is
/// signed. Private halves lie sealed under a `ClusterKey`, which in turn is wrapped by a key management service behind
/// `KeyWrapping`. What is kept has ports (`KeyStore`, `GrantStore`, `RecordStore`, ...), whose databases live in
/// Storage. The room has no clock, no randomness for decisions and no connection of its own. It refuses what is not
/// granted, and rows that somebody moved or edited.
///
/// ```swift
/// let permit = try Gate(access, at: now).permit(client, key: record, kind: .rpm)
/// let signature = try signingKey.sign(draft, permit: permit)
/// ```
public struct KeyringError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    package init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}
