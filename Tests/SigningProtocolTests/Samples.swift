// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import TestSupport

@testable import SigningProtocol

/// Messages of all sorts, with random content.
struct Samples {
    var random: SeededGenerator

    static let words = ["", "a", "release", "kernel-2026", "Größe", "🔑", "rpm", "generic", "module"]

    mutating func bytes(_ count: Range<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random)
        }
    }

    mutating func word() -> String { Self.words.randomElement(using: &random) ?? "" }
    mutating func kind() -> String { Self.words.suffix(3).randomElement(using: &random) ?? "" }

    mutating func id() throws -> UniqueID { try UniqueID(bytes(16..<17).span) }

    mutating func request() throws -> SignRequest {
        let claim: SignRequest.Claim? =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: nil
            case 1: .midstate(bytes(0..<257))
            case 2: .content(bytes(4000..<5000))
            default: .content(bytes(0..<100))
            }
        return SignRequest(
            job: try id(), key: word(), kind: kind(), claim, more: Bool.random(using: &random),
            digest: ["", "sha256", "sha512"].randomElement(using: &random) ?? "",
            timeout: [0, 1, 30_000, .max].randomElement(using: &random) ?? 0)
    }

    mutating func reply() throws -> SignReply {
        guard Bool.random(using: &random) else { return SignReply(job: try id(), .failure(failure())) }
        let signature = MadeSignature(
            signature: bytes(0..<600), keyID: try id(), keyVersion: .random(in: 0...3, using: &random),
            fingerprint: bytes(0..<33), created: .random(in: -1...5_000_000_000, using: &random),
            digest: "sha256", contentDigest: bytes(0..<65), server: word(),
            sequence: .random(in: .min ... .max, using: &random), isStored: Bool.random(using: &random))
        return SignReply(job: try id(), .success(signature))
    }

    mutating func failure() -> Failure {
        let code = ErrorCode.all.randomElement(using: &random) ?? .internalError
        let pause: Duration? =
            [nil, .zero, .milliseconds(1), .seconds(7)].randomElement(using: &random) ?? nil
        return Failure(code, word(), retryAfter: pause)
    }

    mutating func description() throws -> KeyDescription {
        KeyDescription(
            id: try id(), name: word(), version: .random(in: 0...3, using: &random), scheme: "openpgp",
            algorithm: "rsa4096", state: "enabled", fingerprint: bytes(0..<33),
            created: .random(in: 0...5_000_000_000, using: &random),
            expires: Bool.random(using: &random) ? .random(in: 0...5_000_000_000, using: &random) : nil,
            kinds: (0..<Int.random(in: 0..<3, using: &random)).map { _ in kind() }, certificate: bytes(0..<50)
        )
    }

    mutating func keys() throws -> ListKeysReply {
        let count = Int.random(in: 0..<4, using: &random)
        return ListKeysReply(keys: try (0..<count).map { _ in try description() }, nextPageToken: word())
    }
}
