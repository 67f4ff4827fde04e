// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Secrets

/// One key of each algorithm, made once for all tests.
enum TestKeys {
    static let all: Result<[KeyAlgorithm: PrivateKey], any Error> = Result {
        var keys: [KeyAlgorithm: PrivateKey] = [:]
        for algorithm in KeyAlgorithm.allCases { keys[algorithm] = try PrivateKey.generate(algorithm) }
        return keys
    }

    static func key(_ algorithm: KeyAlgorithm) throws -> PrivateKey {
        guard let key = try all.get()[algorithm] else { throw CancellationError() }
        return key
    }

    /// The key in clear, for the other side of a comparison: these keys guard nothing.
    static func pkcs8(_ algorithm: KeyAlgorithm) throws -> [UInt8] {
        let secret = try key(algorithm).pkcs8()
        return Array(copying: secret.bytes)
    }

    /// Every algorithm that a key can sign with.
    static func algorithms(_ key: KeyAlgorithm) -> [SignatureAlgorithm] {
        let digests: [DigestAlgorithm] = [.sha224, .sha256, .sha384, .sha512]
        return switch key.family {
        case .rsa: digests.map { .rsaPKCS1($0) } + digests.map { .rsaPSS($0) }
        case .ecdsa: digests.map { .ecdsa($0) }
        case .ed25519: [.ed25519]
        }
    }
}
