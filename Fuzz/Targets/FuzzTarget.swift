// SPDX-License-Identifier: Apache-2.0

/// One parser under fuzz. `make fuzz TARGET=name` feeds it, `make test` replays `Fuzz/Corpus/name`.
public struct FuzzTarget: Sendable {
    public let name: String
    /// Parses any bytes at all. Refusing them is fine; it throws when a promise does not hold, such as that what
    /// was parsed encodes to the same bytes again.
    public let run: @Sendable ([UInt8]) throws -> Void

    public init(_ name: String, _ run: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.run = run
    }

    public static let all: [FuzzTarget] = [
        artifactsTargets,
        asn1Targets,
        bytesTargets,
        certificateTargets,
        cryptographyTargets,
        diagnosticsTargets,
        mariaDBTargets,
        protobufTargets,
        settingsTargets,
        signaturesTargets,
        grpcTargets,
        http2Targets,
        httpTargets,
        signingProtocolTargets,
        keyringTargets,
        controlTargets,
        verificationTargets,
    ].flatMap { $0 }

    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// A promise that an input broke.
public struct BrokenPromise: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
