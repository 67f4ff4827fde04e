// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Foundation
import Secrets

@testable import Signatures

/// One key of each algorithm, made once for all tests.
enum TestKeys {
    static let all: Result<[KeyAlgorithm: PrivateKey], any Error> = Result {
        var keys: [KeyAlgorithm: PrivateKey] = [:]
        for algorithm in KeyAlgorithm.allCases { keys[algorithm] = try PrivateKey.generate(algorithm) }
        return keys
    }

    /// A second key where two parties are needed.
    static let other = Result { try PrivateKey.generate(.p256) }

    static func key(_ algorithm: KeyAlgorithm) throws -> PrivateKey {
        guard let key = try all.get()[algorithm] else { throw CancellationError() }
        return key
    }

    static func handle(_ algorithm: KeyAlgorithm, _ digest: DigestAlgorithm = .sha256) throws -> SigningHandle
    {
        try handle(key(algorithm), digest)
    }

    static func handle(_ key: PrivateKey, _ digest: DigestAlgorithm = .sha256) throws -> SigningHandle {
        switch key.algorithm.family {
        case .rsa: try SigningHandle(key, .rsaPKCS1(digest))
        case .ecdsa: try SigningHandle(key, .ecdsa(digest))
        case .ed25519: try SigningHandle(key, .ed25519)
        }
    }

    /// The second in which this run began: foreign programs look at the clock.
    static let now = Int64(Date().timeIntervalSince1970)

    static func time(days: Int64) throws -> ASN1Time {
        guard let time = ASN1Time(secondsSince1970: now + days * 86_400) else { throw CancellationError() }
        return time
    }
}

extension TestKeys {
    /// The key in clear, for the other side of a comparison: these keys guard nothing.
    static func pem(_ algorithm: KeyAlgorithm) throws -> [UInt8] { try pem(key(algorithm)) }

    static func pem(_ key: PrivateKey) throws -> [UInt8] {
        let secret = try key.pem()
        return Array(copying: secret.bytes)
    }
}
