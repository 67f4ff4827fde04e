// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import MemoryScan
internal import Secrets

/// Counts pieces of a private key in this process's memory while it is imported, used and released.
func keys(file: String, passphrase: String, hardened: Bool, masked: [String]) -> Int32 {
    let pieces = masked.map { Canary(hex: $0) }
    let memory = ownMemory()
    func tell(_ point: String) {
        print(point, pieces.map { String(memory.count($0)) }.joined(separator: " "))
    }
    do {
        if hardened { try Hardening(secureHeap: 1 << 18, secretPages: 1 << 18).apply() }
        tell("before")
        // The second time finds what the first one prepared.
        for _ in 0..<2 {
            try use(file, passphrase, tell)
            tell("released")
        }
        return 0
    } catch {
        print("error \(error)")
        return 1
    }
}

@inline(never) private func use(_ file: String, _ passphrase: String, _ tell: (String) -> Void) throws {
    let key = try read(file, passphrase)
    tell("imported")
    guard try key.matches(key.publicKey) else { return print("no match") }
    tell("signed")
    try write(key, tell)
}

@inline(never) private func read(_ file: String, _ passphrase: String) throws -> PrivateKey {
    let contents = try SecretBytes(contentsOf: file)
    guard passphrase != "-" else { return try KeyFile(contents).key }
    let phrase = try SecretBytes(contentsOf: passphrase)
    return try KeyFile(contents, passphrase: phrase).key
}

@inline(never) private func write(_ key: PrivateKey, _ tell: (String) -> Void) throws {
    let written = try key.pkcs8()
    let again = try PrivateKey.unsealed(pkcs8: written.bytes)
    guard try again.matches(key.publicKey) else { return print("no match") }
    tell("unsealed")
}
