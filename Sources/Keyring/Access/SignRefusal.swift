// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Signatures

/// Why a gate stayed shut. The code says what to do about it.
public enum SignRefusal: CodedError, Hashable, CustomStringConvertible {
    case clientDenied(ClientIdentity)
    case notGranted(ClientIdentity, key: String)
    case grantExpired(ClientIdentity, key: KeyName)
    case networkNotGranted(ClientIdentity, key: KeyName)
    case kindNotGranted(ClientIdentity, key: KeyName, SigningKind)
    case frozen(key: KeyName, all: Bool)
    case certifyingKey(KeyName)
    case wrongScheme(key: KeyName, SigningScheme, SigningKind)
    case keyState(key: KeyName, KeyState)
    case keyExpired(key: KeyName)
    case keyNotYetValid(key: KeyName)

    public var code: ErrorCode {
        switch self {
        case .clientDenied: .clientDenied
        case .notGranted: .notGranted
        case .grantExpired: .grantExpired
        case .networkNotGranted: .networkNotGranted
        case .kindNotGranted: .kindNotGranted
        case .frozen: .signingFrozen
        case .certifyingKey, .wrongScheme: .keySchemeMismatch
        case .keyState(_, .enabled), .keyState(_, .disabled): .keyDisabled
        case .keyState(_, .expired), .keyExpired: .keyExpired
        case .keyState: .keyStateForbids
        case .keyNotYetValid: .keyNotYetValid
        }
    }

    public var message: String {
        switch self {
        case .clientDenied(let client): "the client \(client) is shut out"
        case .notGranted(let client, let key): "no grant lets \(client) use a key \(key)"
        case .grantExpired(let client, let key): "the grant that let \(client) use the key \(key) has expired"
        case .networkNotGranted(let client, let key):
            "no grant lets \(client) use the key \(key) from where it calls"
        case .kindNotGranted(let client, let key, let kind):
            "no grant lets \(client) sign the kind \(kind.rawValue) with the key \(key)"
        case .frozen(let key, let all):
            all
                ? "all signing is frozen, so nothing is signed with the key \(key)"
                : "signing with the key \(key) is frozen"
        case .certifyingKey(let key): "the key \(key) certifies other keys and signs no files"
        case .wrongScheme(let key, let scheme, let kind):
            "the key \(key) is of the scheme \(scheme.rawValue), \(kind.rawValue) needs \(kind.scheme.rawValue)"
        case .keyState(let key, let state): "the key \(key) is \(state.rawValue)"
        case .keyExpired(let key): "the key \(key) has expired"
        case .keyNotYetValid(let key): "the key \(key) was created after this server's present time"
        }
    }

    public var description: String { "\(code.id): \(message)" }
}
