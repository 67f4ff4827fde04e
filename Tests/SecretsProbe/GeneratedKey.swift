// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Secrets

/// Counts the secret numbers of a key in this process's memory at each point of the key's life, as
/// `point number count-in-all count-in-the-heap` lines: as the library keeps numbers (limbs, least byte first), and as
/// encodings do (`.der`, first byte first).
func generatedKey(algorithm: String, hardened: Bool) -> Int32 {
    guard let algorithm = KeyAlgorithm(rawValue: algorithm) else { return 64 }
    let memory = OwnMemory()
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

private func tell(_ point: String, _ numbers: [Number], _ memory: borrowing OwnMemory) {
    for number in numbers {
        print(
            "\(point) \(number.name) \(memory.count(number.canary)) \(memory.count(number.canary, in: "[heap]"))"
        )
    }
}

@inline(never) private func live(_ algorithm: KeyAlgorithm, _ memory: borrowing OwnMemory) throws -> [Number]
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
@inline(never) private func exported(_ key: PrivateKey, _ memory: borrowing OwnMemory) throws -> [Number] {
    guard key.algorithm.family != .ed25519 else { return [] }
    let export = try key.pkcs8()
    let numbers = pieces(export.bytes, key.algorithm, reversed: false)
    tell("exported", numbers, memory)
    return numbers
}

@inline(never) private func numbers(of key: PrivateKey) throws -> [Number] {
    let export = try key.pkcs8()
    return pieces(export.bytes, key.algorithm, reversed: key.algorithm.family != .ed25519)
}

/// 24 bytes of each secret number, masked while they are copied.
private func pieces(_ der: Span<UInt8>, _ algorithm: KeyAlgorithm, reversed: Bool) -> [Number] {
    func number(_ name: String, at start: Int) -> Number {
        var masked: [UInt8] = []
        // Limbs are eight bytes long and begin at the end of the number; the piece does not depend on that.
        for index in 0..<24 { masked.append(der[start + (reversed ? 23 - index : index)] ^ Canary.mask) }
        return Number(name: reversed ? name : name + ".der", canary: Canary(masked: masked))
    }
    switch algorithm.family {
    case .ed25519: return [number("seed", at: der.count - 32)]
    case .ecdsa:
        // Behind it are five bytes of headers and the public point.
        let width = algorithm.bits / 8
        return [number("d", at: der.count - width - 5 - (2 * width + 1))]
    case .rsa:
        // The elements after the headers of the outer and inner sequences: version, n, e, d, p, q.
        var place = 4 + 3 + 15 + 4 + 4
        var found: [Number] = []
        for name in ["version", "n", "e", "d", "p", "q"] {
            var length = Int(der[place + 1])
            place += 2
            if length > 0x80 {
                let bytes = length - 0x80
                length = 0
                for _ in 0..<bytes {
                    length = length << 8 | Int(der[place])
                    place += 1
                }
            }
            if ["d", "p", "q"].contains(name) { found.append(number(name, at: place + length / 2)) }
            place += length
        }
        return found
    }
}
