// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import MemoryScan
internal import Secrets

/// Counts the secret numbers of a key in this process's memory at each point of the key's life, as
/// `point number count-in-all count-in-the-heap` lines: as the library keeps numbers (limbs, least byte first), and as
/// encodings do (`.der`, first byte first).
func generatedKey(algorithm: String, hardened: Bool) -> Int32 {
    guard let algorithm = KeyAlgorithm(rawValue: algorithm) else { return 64 }
    let memory = ownMemory()
    do {
        if hardened { try Hardening(secureHeap: 1 << 18, secretPages: 1 << 18).apply() }
        let numbers = try live(algorithm, memory)
        tell("released", numbers, memory)
        return 0
    } catch {
        print("error \(error)")
        return 1
    }
}

private struct Number {
    var name: String
    var canary: Canary
}

private func tell(_ point: String, _ numbers: [Number], _ memory: borrowing ProcessMemory) {
    for number in numbers {
        print(
            "\(point) \(number.name) \(memory.count(number.canary)) \(memory.count(number.canary, in: "[heap]"))"
        )
    }
}

@inline(never) private func live(_ algorithm: KeyAlgorithm, _ memory: borrowing ProcessMemory) throws
    -> [Number]
{
    let key = try PrivateKey.generate(algorithm)
    let numbers = try numbers(of: key)
    tell("generated", numbers, memory)
    try sign(key)
    tell("signed", numbers, memory)
    return try numbers + exported(key, memory)
}

@inline(never) private func sign(_ key: PrivateKey) throws {
    let message: [UInt8] = [1, 2, 3]
    let digest = Digest(hashing: message.span, with: .sha256)
    switch key.algorithm.family {
    case .rsa: _ = try SigningHandle(key, .rsaPKCS1(.sha256)).signAndVerify(digest)
    case .ecdsa: _ = try SigningHandle(key, .ecdsa(.sha256)).signAndVerify(digest)
    case .ed25519: _ = try SigningHandle(key, .ed25519).signAndVerify(message: message.span)
    }
}

/// While an export lives, its own bytes are the only ones in that order.
@inline(never) private func exported(_ key: PrivateKey, _ memory: borrowing ProcessMemory) throws -> [Number]
{
    guard key.algorithm.family != .ed25519 else { return [] }
    let export = try key.pkcs8()
    let numbers = SecretNumber.all(in: export.bytes, key.algorithm).map {
        Number(name: $0.name + ".der", canary: $0.encoded)
    }
    tell("exported", numbers, memory)
    return numbers
}

@inline(never) private func numbers(of key: PrivateKey) throws -> [Number] {
    try SecretNumber.all(of: key).map { number in
        // A seed has one order only.
        key.algorithm.family == .ed25519
            ? Number(name: number.name + ".der", canary: number.encoded)
            : Number(name: number.name, canary: number.limbs)
    }
}
